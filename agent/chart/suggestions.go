package chart

import "strings"

// maxSuggestions is how many names or versions an error suggests.
const maxSuggestions = 5

// listAfter writes the words after an introduction. Without words it is empty.
func listAfter(intro string, words []string) string {
	if len(words) == 0 {
		return ""
	}
	return intro + strings.Join(words[:min(len(words), maxSuggestions)], ", ")
}
