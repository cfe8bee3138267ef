package loader

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// ciphertext begins every value that sops has encrypted.
const ciphertext = "ENC[AES256_GCM"

// encrypted says whether values are still as sops encrypted them, wholly or in part.
func encrypted(values any) bool {
	switch v := values.(type) {
	case string:
		return strings.Contains(v, ciphertext)
	case []any:
		return slices.ContainsFunc(v, encrypted)
	case map[string]any:
		if metadata, ok := v["sops"].(map[string]any); ok && metadata["mac"] != nil && metadata["lastmodified"] != nil {
			return true
		}
		for _, value := range v {
			if encrypted(value) {
				return true
			}
		}
	}
	return false
}

const nameAsSecret = "is still encrypted by sops, and ciphertext is never deployed: name it under secrets instead of values, or refer to it with ref+sops://"

// refuseCiphertext notes a release whose values are encrypted, and the entries that brought them.
func (e *engine) refuseCiphertext(release string, entries []any, files []string, merged map[string]any) {
	if !encrypted(merged) {
		return
	}
	found := false
	for i, file := range files {
		if readsEncrypted(file) && len(entries) == len(files) {
			e.refused = append(e.refused, fmt.Sprintf("release %s: %s %s", release, entryName(entries[i]), nameAsSecret))
			found = true
		}
	}
	if !found {
		e.refused = append(e.refused, fmt.Sprintf("release %s: a value %s", release, nameAsSecret))
	}
}

func readsEncrypted(file string) bool {
	content, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	var values any
	return yaml.Unmarshal(content, &values) == nil && encrypted(values)
}

// entryName does not show what an entry itself holds.
func entryName(entry any) string {
	if name, ok := entry.(string); ok {
		return name
	}
	return "a value that is written out"
}
