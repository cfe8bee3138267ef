package secrets

import (
	"strings"
	"testing"

	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestDecryptNamed(t *testing.T) {
	const yamlText, jsonText = "db:\n    password: hunter2\n", "{\n\t\"db\": {\n\t\t\"password\": \"hunter2\"\n\t}\n}\n"
	identity := newIdentity(t)
	for name, test := range map[string]struct {
		format formats.Format
		plain  string
	}{
		"secrets.yaml":             {formats.Yaml, yamlText},
		"secrets.yml":              {formats.Yaml, yamlText},
		"secrets.yaml.gotmpl":      {formats.Yaml, "password: '{{ .Environment.Name }}-hunter2'\n"},
		"embedded-123456.yaml.enc": {formats.Yaml, yamlText}, // the name that helmfile gives to secrets in the helmfile itself
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
			path := write(t, name, encrypt(t, identity, test.format, test.plain))
			got, err := decryptFile(t, loadKeys(t, ""), path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.plain, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecryptErrors(t *testing.T) {
	identity, other := newIdentity(t), newIdentity(t)
	secret := encrypt(t, identity, formats.Yaml, "password: hunter2\n")
	const unencrypted = "it is not encrypted by sops: encrypt it, or move it from secrets to values"

	for name, test := range map[string]struct {
		file, content, key string
		words              []string // of the message
	}{
		"another key":                         {"secrets.yaml", secret, other.String(), []string{identity.Recipient().String(), other.Recipient().String() + " (SOPS_AGE_KEY)"}},
		"no key":                              {"secrets.yaml", secret, "", []string{identity.Recipient().String(), "available keys: none; mount a key"}},
		"edited without sops":                 {"secrets.yaml", strings.Replace(secret, "password:", "passwd:", 1), identity.String(), nil},
		"YAML that is not encrypted":          {"secrets.yaml", "password: hunter2\n", identity.String(), []string{unencrypted}},
		"JSON that is not encrypted":          {"secrets.json", `{"password": "hunter2"}`, identity.String(), []string{unencrypted}},
		"a dotenv file that is not encrypted": {"secrets.env", "PASSWORD=hunter2\n", identity.String(), []string{unencrypted}},
		"an INI file that is not encrypted":   {"secrets.ini", "[db]\npassword = hunter2\n", identity.String(), []string{unencrypted}},
		"a text that is not encrypted":        {"tls.key", "hunter2\n", identity.String(), []string{unencrypted}},
		"an empty file":                       {"secrets.yaml", "", identity.String(), []string{unencrypted}},
		"invalid YAML":                        {"secrets.yaml", "a: b: c: hunter2", identity.String(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, test.file, test.content)
			t.Setenv("SOPS_AGE_KEY", test.key)
			plain, err := decryptFile(t, loadKeys(t, ""), path)
			if err == nil {
				t.Fatalf("decrypted to %q", plain)
			}
			if got := exit.Of(err); got != exit.SecretsUnreadable {
				t.Errorf("the exit code is %s", got)
			}
			message := err.Error()
			if !strings.HasPrefix(message, DecryptErrorPrefix+" "+path+": ") {
				t.Errorf("the message does not begin with the file: %s", message)
			}
			for _, word := range test.words {
				if !strings.Contains(message, word) {
					t.Errorf("the message lacks %q: %s", word, message)
				}
			}
			for _, secret := range []string{"hunter2", identity.String(), other.String()} {
				if strings.Contains(message, secret) {
					t.Errorf("the message contains %q: %s", secret, message)
				}
			}
		})
	}
}
