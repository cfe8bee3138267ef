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
	if kind == "" {
		kind = "v1 ConfigMap"
	}
	result, _ := decode(t, text).(map[string]any)
	if result == nil {
		result = map[string]any{}
	}
	version, name, _ := strings.Cut(kind, " ")
	result["apiVersion"], result["kind"] = version, name
	metadata, _ := result["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
	}
	metadata["name"] = "test"
	result["metadata"] = metadata
	return toJSONTypes(result)
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
