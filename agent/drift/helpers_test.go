package drift

import (
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// object is a whole object of a kind, such as "apps/v1 Deployment", from the part that a test is about.
func object(t *testing.T, kind, text string) map[string]any {
	t.Helper()
	if kind == "" {
		kind = "v1 ConfigMap"
	}
	made, _ := decode(t, text).(map[string]any)
	if made == nil {
		made = map[string]any{}
	}
	version, name, _ := strings.Cut(kind, " ")
	made["apiVersion"], made["kind"] = version, name
	metadata, _ := made["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
	}
	metadata["name"] = "it"
	made["metadata"] = metadata
	return plain(made)
}

func decode(t *testing.T, text string) any {
	t.Helper()
	var decoded any
	if err := yaml.Unmarshal([]byte(text), &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func words(value any) string { return fmt.Sprint(value) }
