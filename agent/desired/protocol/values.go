package protocol

import "fmt"

// WithStringKeys returns a copy of a document in which all map keys are strings, because the agent expects that. Some secret stores return
// maps with other keys.
func WithStringKeys(document any) any {
	switch node := document.(type) {
	case map[any]any:
		converted := make(map[string]any, len(node))
		for key, value := range node {
			converted[fmt.Sprint(key)] = WithStringKeys(value)
		}
		return converted
	case map[string]any:
		converted := make(map[string]any, len(node))
		for key, value := range node {
			converted[key] = WithStringKeys(value)
		}
		return converted
	case []any:
		converted := make([]any, len(node))
		for i, value := range node {
			converted[i] = WithStringKeys(value)
		}
		return converted
	}
	return document
}
