package config

import (
	"errors"
	"slices"

	"github.com/helmfile-agent/helmfile-agent/agent/config/internal/settings"
)

// Schema is the JSON schema of the settings that at least one of the commands uses, by their keys in the file. It is for files that
// contain the configuration, such as the values of the chart. It leaves out secrets, because many people can read such files. The value
// null means that the setting is not given.
func Schema(commands ...string) map[string]any {
	properties := map[string]any{}
	for _, s := range allSettings {
		if s.NotInFile || s.Secret || !slices.ContainsFunc(commands, s.UsedBy) {
			continue
		}
		properties[s.Name] = s.schema()
	}
	return properties
}

// schema describes the type of the value. [Load] checks everything else. A text that looks like a number must be in quotes: programs
// that read the values before the agent would change 1.10 to 1.1.
func (s setting) schema() map[string]any {
	schema := map[string]any{"description": s.Usage, "type": []string{"string", "null"}}
	switch s.Kind {
	case settings.Number:
		schema["type"] = []string{"integer", "null"}
	case settings.Toggle:
		schema["type"] = []string{"boolean", "null"}
	case settings.List:
		schema["type"] = []string{"array", "null"}
		schema["items"] = map[string]any{"type": "string"}
	case settings.Duration:
		schema["pattern"] = `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$|^0$`
	}
	if choices := s.choices(); choices != nil {
		schema["enum"] = choices
	}
	if s.Default != "" {
		schema["default"] = s.Default
	}
	return schema
}

// choices lists the values that the setting accepts, and null. It is nil if the setting is not a choice. The list comes from the error
// for a value that cannot be right.
func (s setting) choices() (values []any) {
	const impossible = "\x00"
	var allowed notOneOf
	if s.Kind != settings.Text || !errors.As(s.store(&Config{}, []string{impossible}), &allowed) {
		return nil
	}
	for _, value := range allowed {
		values = append(values, value)
	}
	return append(values, nil)
}
