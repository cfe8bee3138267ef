package drift

import (
	"encoding/base64"
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// normal is the manifest as the API server would return it, without what it would have added.
func normal(content map[string]any, typed runtime.Object) map[string]any {
	wanted, _ := withoutNulls(plain(content)).(map[string]any)
	delete(wanted, "status")
	if metadata, ok := wanted["metadata"].(map[string]any); ok {
		for _, own := range kept {
			delete(metadata, own)
		}
	}
	if wanted["kind"] == "Secret" && wanted["apiVersion"] == "v1" {
		encodeStringData(wanted)
	}
	if typed == nil || runtime.DefaultUnstructuredConverter.FromUnstructured(wanted, typed) != nil {
		return wanted
	}
	canonical, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return wanted
	}
	spelled, _ := respelled(wanted, canonical).(map[string]any)
	return spelled
}

// kept are the fields of metadata that the API server keeps by itself.
var kept = []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "deletionTimestamp", "selfLink", "generateName"}

// plain is the object in the types that JSON has, integers among them: YAML made all numbers floats.
func plain(object map[string]any) map[string]any {
	encoded, err := json.Marshal(object)
	if err != nil {
		return object
	}
	var u unstructured.Unstructured
	if err := u.UnmarshalJSON(encoded); err != nil {
		return object
	}
	return u.Object
}

// withoutNulls leaves out what is null: to the API server that is a field not set.
func withoutNulls(value any) any {
	switch node := value.(type) {
	case map[string]any:
		for key, child := range node {
			if child == nil {
				delete(node, key)
				continue
			}
			node[key] = withoutNulls(child)
		}
	case []any:
		for i, child := range node {
			node[i] = withoutNulls(child)
		}
	}
	return value
}

// encodeStringData does what the API server does with a Secret's stringData, which it never returns.
func encodeStringData(secret map[string]any) {
	words, ok := secret["stringData"].(map[string]any)
	delete(secret, "stringData")
	if !ok || len(words) == 0 {
		return
	}
	data, _ := secret["data"].(map[string]any)
	if data == nil {
		data = map[string]any{}
	}
	for name, value := range words {
		if text, ok := value.(string); ok {
			data[name] = base64.StdEncoding.EncodeToString([]byte(text))
		}
	}
	secret["data"] = data
}

// omitted is a value that the API server does not store, because not to say it means the same: false, 0, an empty list.
type omitted struct{ value any }

// respelled is the value in the canonical spelling of the Go types, as far as the manifest set it. Fields that the type does
// not know are dropped, as the API server does.
func respelled(value, canonical any) any {
	switch node := value.(type) {
	case map[string]any:
		other, ok := canonical.(map[string]any)
		if !ok {
			return canonical
		}
		result := make(map[string]any, len(node))
		for key, child := range node {
			if spelled, ok := other[key]; ok && spelled != nil {
				result[key] = respelled(child, spelled)
			} else if isZero(child) {
				result[key] = omitted{child}
			}
		}
		return result
	case []any:
		other, ok := canonical.([]any)
		if !ok || len(other) != len(node) {
			return canonical
		}
		result := make([]any, len(node))
		for i, child := range node {
			result[i] = respelled(child, other[i])
		}
		return result
	default:
		return canonical
	}
}

func isZero(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case int64:
		return v == 0
	case float64:
		return v == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, child := range v {
			if !isZero(child) {
				return false
			}
		}
		return true
	default:
		return false
	}
}
