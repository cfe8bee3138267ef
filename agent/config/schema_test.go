package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSchema(t *testing.T) {
	for name, want := range map[string]map[string]any{
		"ref":         {"type": []string{"string", "null"}},
		"prune":       {"type": []string{"string", "null"}, "enum": []any{"two-step", "report", "off", nil}, "default": "two-step"},
		"logLevel":    {"type": []string{"string", "null"}, "enum": []any{"debug", "info", "warn", "error", nil}, "default": "info"},
		"concurrency": {"type": []string{"integer", "null"}, "default": "4"},
		"selector":    {"type": []string{"array", "null"}, "items": map[string]any{"type": "string"}},
		"yes":         {"type": []string{"boolean", "null"}, "default": "false"},
	} {
		got, _ := Schema()[name].(map[string]any)
		if got["description"] == "" {
			t.Errorf("%s is not described", name)
		}
		delete(got, "description")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestSchemaHasEveryKeyOfTheFile but those that must not be seen.
func TestSchemaHasEveryKeyOfTheFile(t *testing.T) {
	schema := Schema()
	for _, k := range keys {
		if _, has := schema[k.name]; has == (k.noFile || k.secret) {
			t.Errorf("%s is in the schema: %t", k.name, has)
		}
	}
	if _, has := schema["gitPassword"]; has || len(schema) < 20 {
		t.Errorf("the schema has a password (%t), and %d keys", has, len(schema))
	}
}
