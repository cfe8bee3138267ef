package config

import (
	"errors"
	"slices"
)

// Schema is the JSON schema of the file's keys that at least one of the commands honours, by name, for those who write the file as part of something else, such as the
// chart's values. A secret is not among them: such files are shown to everybody. null stands for a key that is not given.
func Schema(commands ...string) map[string]any {
	properties := map[string]any{}
	for _, k := range keys {
		if k.noFile || k.secret || !slices.ContainsFunc(commands, k.appliesTo) {
			continue
		}
		properties[k.name] = k.schema()
	}
	return properties
}

// schema says of which type a value is; what else is wrong with it is found when it is loaded. A text that looks like a number
// must be in quotes: whoever reads the values first would rewrite it, 1.10 to 1.1.
func (k key) schema() map[string]any {
	schema := map[string]any{"description": k.usage, "type": []string{"string", "null"}}
	switch k.kind {
	case number:
		schema["type"] = []string{"integer", "null"}
	case toggle:
		schema["type"] = []string{"boolean", "null"}
	case list:
		schema["type"] = []string{"array", "null"}
		schema["items"] = map[string]any{"type": "string"}
	case duration:
		schema["pattern"] = `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$|^0$`
	}
	if choices := k.choices(); choices != nil {
		schema["enum"] = choices
	}
	if k.fallback != "" {
		schema["default"] = k.fallback
	}
	return schema
}

// choices are the only values that the key takes, and null; nil if it takes others too. The check itself knows them.
func (k key) choices() (values []any) {
	const nothing = "\x00"
	var allowed notOneOf
	if k.kind != text || !errors.As(k.set(&Config{}, []string{nothing}), &allowed) {
		return nil
	}
	for _, value := range allowed {
		values = append(values, value)
	}
	return append(values, nil)
}
