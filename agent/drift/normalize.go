package drift

import (
	"encoding/base64"
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// normalize returns the manifest in the form in which the API server would return it, but without defaults.
func normalize(content map[string]any, typed runtime.Object) map[string]any {
	wanted, _ := withoutNulls(toJSONTypes(content)).(map[string]any)
	delete(wanted, "status")
	if metadata, ok := wanted["metadata"].(map[string]any); ok {
		for _, name := range serverFields {
			delete(metadata, name)
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
	normalized, _ := canonicalize(wanted, canonical).(map[string]any)
	return normalized
}

// serverFields are the fields of metadata that the API server sets.
var serverFields = []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "deletionTimestamp", "selfLink", "generateName"}

// toJSONTypes returns the object with the types of the Kubernetes JSON decoder. It turns whole numbers into integers, because the
// YAML decoder made all numbers floats.
func toJSONTypes(object map[string]any) map[string]any {
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

// withoutNulls removes nulls, because the API server treats a null as a field that is not set.
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

// encodeStringData moves stringData of a Secret to data, as the API server does. The API server never returns stringData.
func encodeStringData(secret map[string]any) {
	texts, ok := secret["stringData"].(map[string]any)
	delete(secret, "stringData")
	if !ok || len(texts) == 0 {
		return
	}
	data, _ := secret["data"].(map[string]any)
	if data == nil {
		data = map[string]any{}
	}
	for name, value := range texts {
		if text, ok := value.(string); ok {
			data[name] = base64.StdEncoding.EncodeToString([]byte(text))
		}
	}
	secret["data"] = data
}

// zeroValue is a value such as false, 0 or an empty list. The API server does not store it, because an absent field means the same.
type zeroValue struct{ value any }

// canonicalize returns the fields of value with their values from canonical, which went through the Go type. Like the API server,
// it drops fields that the Go type does not have.
func canonicalize(value, canonical any) any {
	switch node := value.(type) {
	case map[string]any:
		other, ok := canonical.(map[string]any)
		if !ok {
			return canonical
		}
		result := make(map[string]any, len(node))
		for key, child := range node {
			if canonicalChild, ok := other[key]; ok && canonicalChild != nil {
				result[key] = canonicalize(child, canonicalChild)
			} else if isZero(child) {
				result[key] = zeroValue{child}
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
			result[i] = canonicalize(child, other[i])
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
