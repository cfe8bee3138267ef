package options

// CopyOf returns a deep copy, because Helm changes the map of values that it gets.
func CopyOf(values map[string]any) map[string]any {
	return deepCopy(values).(map[string]any)
}

func deepCopy(value any) any {
	switch node := value.(type) {
	case map[string]any:
		copied := make(map[string]any, len(node))
		for key, child := range node {
			copied[key] = deepCopy(child)
		}
		return copied
	case []any:
		copied := make([]any, len(node))
		for i, child := range node {
			copied[i] = deepCopy(child)
		}
		return copied
	default:
		return value
	}
}
