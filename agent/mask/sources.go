package mask

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// AddObject adds the values of a decoded Kubernetes object if it is a Secret, or a list that contains Secrets. Every kind with the name
// Secret counts, in any API group.
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
			m.AddNamed(key, encoded) // the API server refuses such a value, and its error may contain it
			continue
		}
		m.AddNamed(key, string(decoded))
	}
}

// AddDocument adds all values of a decrypted file, which may have several YAML documents. If the file is neither YAML nor JSON, it adds
// the whole text and its lines. Such files are dotenv and INI files, keys, and templates that are not rendered yet.
func (m *Mask) AddDocument(plain []byte) {
	decoder := yaml.NewDecoder(bytes.NewReader(plain))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return
		}
		var decoded any
		if err == nil {
			err = document.Decode(&decoded)
		}
		if _, isText := decoded.(string); err != nil || isText {
			m.Add(string(plain))
			return
		}
		m.AddLeaves(decoded)
		m.addScalars("", &document)
	}
}

// addScalars adds the scalars of a YAML document as the file spells them. Decoding changes the spelling of numbers and dates. Scalars
// behind an alias are added where the anchor is.
func (m *Mask) addScalars(key string, node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && node.Tag != "!!null" && node.Tag != "!!bool" {
		m.AddNamed(key, node.Value)
	}
	for i, child := range node.Content {
		if node.Kind != yaml.MappingNode {
			m.addScalars(key, child)
		} else if i%2 == 1 {
			m.addScalars(node.Content[i-1].Value, child)
		}
	}
}

// AddEnvironment adds the credentials in an environment that has the format of os.Environ: the variables whose name says that they are a
// credential, and the passwords in URLs, for example in HTTPS_PROXY.
func (m *Mask) AddEnvironment(environ []string) {
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		for _, password := range passwordInURL(value) {
			m.AddNamed(password.key, password.value)
		}
		if namesCredential(name) && !isFile(value) {
			m.AddNamed(name, value)
		}
	}
}

// isFile reports whether a value is the absolute path of a file. A credential may begin with a slash, too, for example one in base64.
func isFile(value string) bool {
	if !filepath.IsAbs(value) {
		return false
	}
	_, err := os.Stat(value)
	return err == nil
}

var (
	credentialWords = []string{"PASS", "KEY"}
	credentialEnds  = regexp.MustCompile(`(TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIALS?)$`) // also of words such as PGPASSWORD
	referenceWords  = []string{"FILE", "PATH", "DIR", "CMD", "NAME", "URL", "ADDR"}                 // a variable that ends so says where the credential is
)

func namesCredential(variable string) bool {
	words := strings.Split(strings.ToUpper(variable), "_")
	return !slices.Contains(referenceWords, words[len(words)-1]) &&
		slices.ContainsFunc(words, func(word string) bool {
			return slices.Contains(credentialWords, word) || credentialEnds.MatchString(word)
		})
}

// AddRegistryLogins adds the credentials that Docker and Helm stored for registries. It skips files that the process cannot read, because
// the process cannot show their content either.
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
	if dir := os.Getenv("HELM_CONFIG_HOME"); dir != "" {
		files = append(files, filepath.Join(dir, "registry", "config.json"))
	}
	if dir := os.Getenv("XDG_CONFIG_HOME"); dir != "" {
		files = append(files, filepath.Join(dir, "helm", "registry", "config.json"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		files = append(files, filepath.Join(home, ".docker", "config.json"), filepath.Join(home, ".config", "helm", "registry", "config.json"))
	}
	return slices.DeleteFunc(files, func(file string) bool { return file == "" })
}
