package objectdiff

import (
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"strings"
)

// The two sides of a diff have different masks, so that a changed value is visible as a difference.
const (
	onlyStored   = "--------"
	onlyRendered = "++++++++"
	onBoth       = "********"
)

// maskSecrets returns both sides of an object without the values of Secrets. It shows only the size of each value and whether it
// differs. It treats every kind named Secret as a Secret, whatever its API group. It does not change its arguments; one of them
// may be nil.
func maskSecrets(stored, rendered map[string]any) (map[string]any, map[string]any) {
	switch kind := kindOf(stored, rendered); {
	case kind == "Secret":
		return maskSecret(stored, rendered)
	case kind == "SecretList": // its items may have no kind
		return maskItems(stored, rendered, maskSecret)
	case strings.HasSuffix(kind, "List"):
		return maskItems(stored, rendered, maskSecrets)
	default:
		return stored, rendered
	}
}

func kindOf(stored, rendered map[string]any) string {
	if kind, ok := stored["kind"].(string); ok {
		return kind
	}
	kind, _ := rendered["kind"].(string)
	return kind
}

func maskSecret(stored, rendered map[string]any) (map[string]any, map[string]any) {
	return hideAll(stored, rendered, onlyStored), hideAll(rendered, stored, onlyRendered)
}

// hideAll is a copy of one side of a Secret in which all values are hidden.
func hideAll(side, other map[string]any, mask string) map[string]any {
	hidden := maps.Clone(side)
	hideField(hidden, other, "data", mask, decodedSize)
	hideField(hidden, other, "stringData", mask, size)
	hideAnnotations(hidden, other, mask)
	return hidden
}

func hideField(side, other map[string]any, field, mask string, size func(any) int) {
	value := side[field]
	if value == nil {
		return
	}
	values, ok := value.(map[string]any)
	if !ok { // Kubernetes would refuse this Secret, but the value may still be secret
		side[field] = hide(value, other[field], mask, size)
		return
	}
	others, _ := other[field].(map[string]any)
	hidden := make(map[string]any, len(values))
	for key, value := range values {
		hidden[key] = hide(value, others[key], mask, size)
	}
	side[field] = hidden
}

// hideAnnotations hides the annotation in which `kubectl apply` saves the whole Secret with its values.
func hideAnnotations(side, other map[string]any, mask string) {
	metadata, _ := side["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	others, _ := other["metadata"].(map[string]any)
	otherAnnotations, _ := others["annotations"].(map[string]any)
	if annotations == nil {
		return
	}
	annotations = maps.Clone(annotations)
	for key, value := range annotations {
		if strings.HasSuffix(key, "last-applied-configuration") {
			annotations[key] = hide(value, otherAnnotations[key], mask, size)
		}
	}
	metadata = maps.Clone(metadata)
	metadata["annotations"] = annotations
	side["metadata"] = metadata
}

func hide(value, other any, mask string, size func(any) int) string {
	if other != nil && reflect.DeepEqual(value, other) {
		mask = onBoth
	}
	return fmt.Sprintf("%s # (%d bytes)", mask, size(value))
}

func size(value any) int {
	if value == nil {
		return 0
	}
	return len(fmt.Sprint(value))
}

// decodedSize is the size of the decoded value, or the size of the value itself if it is not base64.
func decodedSize(value any) int {
	text, _ := value.(string)
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil || text == "" {
		return size(value)
	}
	return len(decoded)
}

type maskFunc func(stored, rendered map[string]any) (map[string]any, map[string]any)

// maskItems masks the items of a list. It compares each item with the item at the same position on the other side.
func maskItems(stored, rendered map[string]any, mask maskFunc) (map[string]any, map[string]any) {
	before, after := itemsOf(stored), itemsOf(rendered)
	maskedBefore, maskedAfter := make([]any, len(before)), make([]any, len(after))
	for i := range max(len(before), len(after)) {
		old, next := mask(itemAt(before, i), itemAt(after, i))
		if i < len(before) {
			maskedBefore[i] = old
		}
		if i < len(after) {
			maskedAfter[i] = next
		}
	}
	return withItems(stored, maskedBefore), withItems(rendered, maskedAfter)
}

func itemsOf(list map[string]any) []any {
	items, _ := list["items"].([]any)
	return items
}

func itemAt(items []any, i int) map[string]any {
	if i >= len(items) {
		return nil
	}
	item, _ := items[i].(map[string]any)
	return item
}

func withItems(list map[string]any, items []any) map[string]any {
	if _, ok := list["items"].([]any); !ok { // a kind that only ends with List, or a missing side
		return list
	}
	list = maps.Clone(list)
	list["items"] = items
	return list
}
