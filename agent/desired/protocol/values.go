package protocol

import "fmt"

// WithTextKeys is a document whose maps have texts for keys, as the other side expects: some secret stores answer with others.
func WithTextKeys(document any) any {
	switch node := document.(type) {
	case map[any]any:
		texts := make(map[string]any, len(node))
		for key, child := range node {
			texts[fmt.Sprint(key)] = WithTextKeys(child)
		}
		return texts
	case map[string]any:
		texts := make(map[string]any, len(node))
		for key, child := range node {
			texts[key] = WithTextKeys(child)
		}
		return texts
	case []any:
		list := make([]any, len(node))
		for i, child := range node {
			list[i] = WithTextKeys(child)
		}
		return list
	}
	return document
}
