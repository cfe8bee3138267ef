package render

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
)

// schema is the values' schema with the agent's own settings in its property config. All else in it is written by hand.
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
	section["properties"] = config.Schema()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(whole)
	return out.Bytes(), err
}
