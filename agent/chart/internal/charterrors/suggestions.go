package charterrors

import "strings"

// MaxSuggestions is how many names or versions an error suggests.
const MaxSuggestions = 5

// ListAfter writes the words after an introduction. Without words it is empty.
func ListAfter(intro string, words []string) string {
	if len(words) == 0 {
		return ""
	}
	return intro + strings.Join(words[:min(len(words), MaxSuggestions)], ", ")
}
