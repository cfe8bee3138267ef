package drift

import (
	"strconv"
	"strings"
)

var unescape = strings.NewReplacer("~1", "/", "~0", "~")
var escape = strings.NewReplacer("~", "~0", "/", "~1")

func split(pointer string) []string {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, part := range parts {
		parts[i] = unescape.Replace(part)
	}
	return parts
}

// leave makes the wanted object say nothing of the field, or the same as the live one where it must say something: a list has
// no gaps.
func leave(wanted, live map[string]any, pointer string) {
	parts := split(pointer)
	last := parts[len(parts)-1]
	switch parent := follow(wanted, parts[:len(parts)-1]).(type) {
	case map[string]any:
		delete(parent, last)
	case []any:
		if there := follow(live, parts); there != nil && child(parent, last) != nil {
			i, _ := strconv.Atoi(last) // there is such a child
			parent[i] = there
		}
	}
}

// follow is what the path leads to; nil if there is no such field.
func follow(object map[string]any, path []string) any {
	var node any = object
	for _, part := range path {
		node = child(node, part)
	}
	return node
}

func child(node any, part string) any {
	switch parent := node.(type) {
	case map[string]any:
		return parent[part]
	case []any:
		if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(parent) {
			return parent[i]
		}
	}
	return nil
}
