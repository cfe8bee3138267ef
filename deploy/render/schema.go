package render

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
)

// schema returns the values' schema with the agent's own settings in its property config. The rest of it is hand-written.
func schema(file []byte) ([]byte, error) {
	var whole map[string]any
	if err := json.Unmarshal(file, &whole); err != nil {
		return nil, fmt.Errorf("read the values' schema: %w", err)
	}
	properties, _ := whole["properties"].(map[string]any)
	section, _ := properties["config"].(map[string]any)
	if section == nil {
		return nil, fmt.Errorf("read the values' schema: it has no property config")
	}
	commands, err := chartCommands(properties)
	if err != nil {
		return nil, err
	}
	section["properties"] = settingsOf(commands...)
	whole["allOf"] = refusals(commands)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(whole)
	return out.Bytes(), err
}

// chartCommands returns the agent's commands that the chart can run. They are hand-written in the schema.
func chartCommands(properties map[string]any) (commands []string, err error) {
	command, _ := properties["command"].(map[string]any)
	values, _ := command["enum"].([]any)
	for _, value := range values {
		name, _ := value.(string)
		commands = append(commands, name)
	}
	if len(commands) == 0 {
		return nil, fmt.Errorf("read the values' schema: its property command has no enum")
	}
	return commands, nil
}

// settingsOf returns the schema of the settings that the commands accept. It leaves out dir, because the chart needs a repository and
// the agent does not accept both.
func settingsOf(commands ...string) map[string]any {
	settings := config.Schema(commands...)
	delete(settings, "dir")
	return settings
}

// refusals returns the conditions of the schema that allow, for each command, only the settings that this command accepts.
func refusals(commands []string) []any {
	var all []any
	for _, command := range commands {
		foreign := map[string]any{}
		honoured := settingsOf(command)
		for name := range settingsOf(commands...) {
			if honoured[name] == nil {
				foreign[name] = map[string]any{"description": "not a setting of the command " + command, "enum": []any{nil, false}}
			}
		}
		if len(foreign) == 0 {
			continue
		}
		all = append(all, map[string]any{
			"if":   map[string]any{"properties": map[string]any{"command": map[string]any{"const": command}}},
			"then": map[string]any{"properties": map[string]any{"config": map[string]any{"properties": foreign}}},
		})
	}
	return all
}
