// Package parts cuts state files into their parts, as helmfile does. helmfile renders and decodes each part separately, and counts lines
// from the beginning of a part.
//
// It imports no other package of the agent.
package parts

import "strings"

// separator is the line between two parts.
const separator = "\n---\n"

// Split returns the parts of a state file. Line breaks in the parts are those of Unix.
func Split(text string) []string {
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), separator)
}

// LinesBefore returns the number of lines of the file before a part. It is 0 if there is no such part.
func LinesBefore(parts []string, part int) int {
	if part <= 0 || part >= len(parts) {
		return 0
	}
	return strings.Count(strings.Join(parts[:part], separator)+separator, "\n")
}

// LineAt returns the number of the line that contains a byte offset.
func LineAt(text string, offset int) int { return 1 + strings.Count(text[:offset], "\n") }
