package unsupported

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// sopsPrefix is the beginning of each value that sops has encrypted.
const sopsPrefix = "ENC[AES256_GCM"

// stillEncrypted ends a message about values that sops has encrypted.
const stillEncrypted = "is still encrypted by sops, and the agent never deploys ciphertext: list the file under secrets instead of values, or use ref+sops://"

// isEncrypted says whether sops has encrypted any of the values.
func isEncrypted(values any) bool {
	switch v := values.(type) {
	case string:
		return strings.Contains(v, sopsPrefix)
	case []any:
		return slices.ContainsFunc(v, isEncrypted)
	case map[string]any:
		if hasSopsMetadata(v) {
			return true
		}
		for _, value := range v {
			if isEncrypted(value) {
				return true
			}
		}
	}
	return false
}

// hasSopsMetadata recognizes a file of sops also if none of its values is encrypted.
func hasSopsMetadata(values map[string]any) bool {
	metadata, _ := values["sops"].(map[string]any)
	return metadata["mac"] != nil && metadata["lastmodified"] != nil
}

// EncryptedValues returns a message for each entry of values that is still encrypted. helmfile writes one file for each entry. If no
// file is encrypted, but the merged values are, there is one message for the release.
func EncryptedValues(release string, entries []any, files []string, merged map[string]any) []string {
	if !isEncrypted(merged) {
		return nil
	}
	var messages []string
	for i, file := range files {
		if len(entries) == len(files) && isEncryptedFile(file) {
			messages = append(messages, fmt.Sprintf("release %s: %s %s", release, entryName(entries[i]), stillEncrypted))
		}
	}
	if len(messages) == 0 {
		return []string{fmt.Sprintf("release %s: a value %s", release, stillEncrypted)}
	}
	return messages
}

func isEncryptedFile(file string) bool {
	content, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	var values any
	return yaml.Unmarshal(content, &values) == nil && isEncrypted(values)
}

// entryName does not show inline values, because they may be secret.
func entryName(entry any) string {
	if name, ok := entry.(string); ok {
		return name
	}
	return "an inline value"
}
