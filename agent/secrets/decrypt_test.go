package secrets

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestDecryptFile(t *testing.T) {
	const yamlText, jsonText = "db:\n    password: hunter2\n", "{\n\t\"db\": {\n\t\t\"password\": \"hunter2\"\n\t}\n}\n"
	identity := newIdentity(t)
	for name, test := range map[string]struct {
		format formats.Format
		plain  string
	}{
		"secrets.yaml":             {formats.Yaml, yamlText},
		"secrets.yml":              {formats.Yaml, yamlText},
		"secrets.yaml.gotmpl":      {formats.Yaml, "password: '{{ .Environment.Name }}-hunter2'\n"},
		"embedded-123456.yaml.enc": {formats.Yaml, yamlText}, // what helmfile makes of secrets that stand in the helmfile itself
		"secrets.yaml.enc.gotmpl":  {formats.Yaml, yamlText},
		"secrets.json":             {formats.Json, jsonText},
		"secrets.json.gotmpl":      {formats.Json, jsonText},
		"secrets.env":              {formats.Dotenv, "PASSWORD=hunter2\n"},
		"secrets.ini":              {formats.Ini, "[db]\npassword = hunter2\n"},
		"tls.key":                  {formats.Binary, "-----BEGIN KEY-----\nMC4CAQAw\x00\xff\n"},
		"secrets":                  {formats.Binary, "hunter2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SOPS_AGE_KEY", identity.String())
			path := write(t, name, encrypted(t, identity, test.format, test.plain))
			got, err := taken(t, "").DecryptFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.plain, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatCannotBeDecrypted(t *testing.T) {
	identity, other := newIdentity(t), newIdentity(t)
	secret := encrypted(t, identity, formats.Yaml, "password: hunter2\n")
	const unencrypted = "it is not encrypted by sops: encrypt it, or name it under values instead"

	for name, test := range map[string]struct {
		file, content, key string
		words              []string // of the message
	}{
		"with another key":               {"secrets.yaml", secret, other.String(), []string{identity.Recipient().String(), other.Recipient().String() + " (SOPS_AGE_KEY)"}},
		"without any key":                {"secrets.yaml", secret, "", []string{identity.Recipient().String(), "at hand: no key; mount one"}},
		"because a person edited it":     {"secrets.yaml", strings.Replace(secret, "password:", "passwd:", 1), identity.String(), nil},
		"because it is not encrypted":    {"secrets.yaml", "password: hunter2\n", identity.String(), []string{unencrypted}},
		"nor JSON that is not":           {"secrets.json", `{"password": "hunter2"}`, identity.String(), []string{unencrypted}},
		"nor an environment that is not": {"secrets.env", "PASSWORD=hunter2\n", identity.String(), []string{unencrypted}},
		"nor an INI file that is not":    {"secrets.ini", "[db]\npassword = hunter2\n", identity.String(), []string{unencrypted}},
		"nor any file that is not":       {"tls.key", "hunter2\n", identity.String(), []string{unencrypted}},
		"because it is empty":            {"secrets.yaml", "", identity.String(), []string{unencrypted}},
		"because it is no YAML":          {"secrets.yaml", "a: b: c: hunter2", identity.String(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, test.file, test.content)
			t.Setenv("SOPS_AGE_KEY", test.key)
			plain, err := taken(t, "").DecryptFile(path)
			if err == nil {
				t.Fatalf("decrypted to %q", plain)
			}
			if got := exit.Of(err); got != exit.SecretsUnreadable {
				t.Errorf("the exit code is %s", got)
			}
			message := err.Error()
			if !strings.HasPrefix(message, Unreadable+" "+path+": ") {
				t.Errorf("the message does not begin with the file: %s", message)
			}
			for _, word := range test.words {
				if !strings.Contains(message, word) {
					t.Errorf("the message lacks %q: %s", word, message)
				}
			}
			for _, secret := range []string{"hunter2", identity.String(), other.String()} {
				if strings.Contains(message, secret) {
					t.Errorf("the message tells %q: %s", secret, message)
				}
			}
		})
	}

	t.Run("because it is not there", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "secrets.yaml")
		_, err := taken(t, "").DecryptFile(path)
		if exit.Of(err) != exit.SecretsUnreadable || !strings.HasPrefix(err.Error(), "cannot decrypt "+path+": ") {
			t.Errorf("got %s: %v", exit.Of(err), err)
		}
	})
}
