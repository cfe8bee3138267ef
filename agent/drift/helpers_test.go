package drift

import (
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// object makes a complete object of a kind, such as "apps/v1 Deployment", from the fields in text.
func object(t *testing.T, kind, text string) map[string]any {
	t.Helper()
	content, _ := decode(t, text).(map[string]any)
	return ofKind(kind, content)
}

// ofKind completes the content of an object. Without a kind it is a ConfigMap.
func ofKind(kind string, content map[string]any) map[string]any {
	if kind == "" {
		kind = "v1 ConfigMap"
	}
	if content == nil {
		content = map[string]any{}
	}
	version, name, _ := strings.Cut(kind, " ")
	content["apiVersion"], content["kind"] = version, name
	metadata, _ := content["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
	}
	metadata["name"] = "test"
	content["metadata"] = metadata
	return toJSONTypes(content)
}

func decode(t *testing.T, text string) any {
	t.Helper()
	var decoded any
	if err := yaml.Unmarshal([]byte(text), &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func text(value any) string { return fmt.Sprint(value) }
