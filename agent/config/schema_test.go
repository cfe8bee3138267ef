package config

import (
	"slices"
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
		"dryRun":      {"type": []string{"boolean", "null"}, "default": "false"},
	} {
		got, _ := Schema(Run)[name].(map[string]any)
		if got["description"] == "" {
			t.Errorf("%s is not described", name)
		}
		delete(got, "description")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestSchemaHasTheSettingsOfTheCommands: the schema has every setting that one of the commands uses, except secrets.
func TestSchemaHasTheSettingsOfTheCommands(t *testing.T) {
	for _, commands := range [][]string{{Run}, {Diff}, {Run, Diff}, {Access}, {Destroy}} {
		schema := Schema(commands...)
		for _, s := range allSettings {
			want := !s.NotInFile && !s.Secret && slices.ContainsFunc(commands, s.UsedBy)
			if _, has := schema[s.Name]; has != want {
				t.Errorf("%v: %s is in the schema: %t", commands, s.Name, has)
			}
		}
	}
	if schema := Schema(Run); schema["gitPassword"] != nil || schema["yes"] != nil || schema["detailedExitcode"] != nil || len(schema) < 20 {
		t.Errorf("the schema for run has settings that it must not have, or too few: %d", len(schema))
	}
}
