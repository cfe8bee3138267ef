package drift

import (
	"strconv"
	"strings"
)

var unescape = strings.NewReplacer("~1", "/", "~0", "~")
var escape = strings.NewReplacer("~", "~0", "/", "~1")

func splitPointer(pointer string) []string {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, part := range parts {
		parts[i] = unescape.Replace(part)
	}
	return parts
}

// ignorePath removes the field from the wanted object, so that it is not compared. An element of a list cannot be removed without
// moving the others, so it gets the live value instead.
func ignorePath(wanted, live map[string]any, pointer string) {
	parts := splitPointer(pointer)
	last := parts[len(parts)-1]
	switch parent := valueAt(wanted, parts[:len(parts)-1]).(type) {
	case map[string]any:
		delete(parent, last)
	case []any:
		if liveValue := valueAt(live, parts); liveValue != nil && child(parent, last) != nil {
			i, _ := strconv.Atoi(last) // cannot fail: the element exists
			parent[i] = liveValue
		}
	}
}

// valueAt returns the value at the path; nil if there is none.
func valueAt(object map[string]any, path []string) any {
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
