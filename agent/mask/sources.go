package mask

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// AddObject makes the values of a Secret known, or of those in a List; other objects have none. The content is a decoded
// Kubernetes object. Any kind named Secret is one, whatever its API group.
func (m *Mask) AddObject(content map[string]any) {
	kind, _ := content["kind"].(string)
	switch {
	case kind == "Secret", content["kind"] == nil && content["data"] != nil:
		m.addSecret(content)
	case strings.HasSuffix(kind, "List"):
		items, _ := content["items"].([]any)
		for _, item := range items {
			if object, ok := item.(map[string]any); ok {
				m.AddObject(object)
			}
		}
	}
}

func (m *Mask) addSecret(content map[string]any) {
	m.AddLeaves(content["stringData"])
	data, _ := content["data"].(map[string]any)
	for key, value := range data {
		encoded, _ := value.(string)
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			m.AddNamed(key, encoded) // the API server will refuse it, and may say so
			continue
		}
		m.AddNamed(key, string(decoded))
	}
}

// AddDocument makes all values of a decrypted file known. What is no YAML document of values is known as a whole and by its lines:
// dotenv, INI, a key, a template that is yet to be rendered.
func (m *Mask) AddDocument(plain []byte) {
	var leaves any
	err := yaml.Unmarshal(plain, &leaves)
	if _, text := leaves.(string); err != nil || text {
		m.Add(string(plain))
		return
	}
	m.AddLeaves(leaves)
}

// AddEnvironment makes known what an environment, as os.Environ gives it, holds of credentials: whatever has a name that says
// so, and the passwords in URLs such as a proxy's.
func (m *Mask) AddEnvironment(environ []string) {
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if strings.Contains(value, "://") {
			for _, p := range ofURL(value) {
				m.AddNamed(p.key, p.value)
			}
		}
		if namesCredential(name) && !filepath.IsAbs(value) {
			m.AddNamed(name, value)
		}
	}
}

var (
	credentialWords = []string{"TOKEN", "PASSWORD", "PASSWD", "PASS", "PASSPHRASE", "SECRET", "KEY", "CREDENTIAL", "CREDENTIALS"}
	harmlessEndings = []string{"FILE", "PATH", "DIR", "CMD", "NAME", "URL", "ADDR"} // of names of what is not the credential itself
)

func namesCredential(variable string) bool {
	words := strings.Split(strings.ToUpper(variable), "_")
	return !slices.Contains(harmlessEndings, words[len(words)-1]) &&
		slices.ContainsFunc(words, func(word string) bool { return slices.Contains(credentialWords, word) })
}

// AddRegistryLogins makes known what Docker and Helm have stored to log in to registries. Files that are not there or cannot
// be read hold nothing that this process could show.
func (m *Mask) AddRegistryLogins() {
	for _, file := range registryConfigs() {
		content, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		var document any
		if err := json.Unmarshal(content, &document); err == nil {
			m.AddLeaves(document)
		}
	}
}

func registryConfigs() []string {
	files := []string{os.Getenv("HELM_REGISTRY_CONFIG"), os.Getenv("REGISTRY_AUTH_FILE")}
	if dir := os.Getenv("DOCKER_CONFIG"); dir != "" {
		files = append(files, filepath.Join(dir, "config.json"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		files = append(files, filepath.Join(home, ".docker", "config.json"), filepath.Join(home, ".config", "helm", "registry", "config.json"))
	}
	return slices.DeleteFunc(files, func(file string) bool { return file == "" })
}
