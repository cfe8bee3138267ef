package secrets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	sopsage "github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/cmd/sops/common"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/config"
	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestDecryptFile(t *testing.T) {
	const yamlText, jsonText = "db:\n    password: hunter2\n", "{\n\t\"db\": {\n\t\t\"password\": \"hunter2\"\n\t}\n}\n"
	identity := newIdentity(t)
	t.Setenv("SOPS_AGE_KEY", identity.String())
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
			path := write(t, name, encrypted(t, identity, test.format, test.plain))
			got, err := DecryptFile(path)
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
		"with another key":               {"secrets.yaml", secret, other.String(), []string{identity.Recipient().String(), "FAILED"}},
		"without any key":                {"secrets.yaml", secret, "", []string{identity.Recipient().String(), "FAILED"}},
		"with what is no key":            {"secrets.yaml", secret, "AGE-SECRET-KEY-typo", []string{identity.Recipient().String()}},
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
			plain, err := DecryptFile(path)
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
		_, err := DecryptFile(path)
		if exit.Of(err) != exit.SecretsUnreadable || !strings.HasPrefix(err.Error(), "cannot decrypt "+path+": ") {
			t.Errorf("got %s: %v", exit.Of(err), err)
		}
	})
}

// newIdentity makes a key, and keeps those of the developer out.
func newIdentity(t *testing.T) *age.X25519Identity {
	t.Helper()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(name, t.TempDir())
	}
	for _, name := range []string{"SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD", "SOPS_AGE_SSH_PRIVATE_KEY_FILE"} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil { // t.Setenv puts it back
			t.Fatal(err)
		}
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// encrypted is what `sops encrypt --age` makes of the text.
func encrypted(t *testing.T, identity *age.X25519Identity, format formats.Format, plain string) string {
	t.Helper()
	store := common.StoreForFormat(format, config.NewStoresConfig())
	branches, err := store.LoadPlainFile([]byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	recipient, err := sopsage.MasterKeyFromRecipient(identity.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	tree := sops.Tree{Branches: branches, Metadata: sops.Metadata{
		KeyGroups:         []sops.KeyGroup{{recipient}},
		UnencryptedSuffix: sops.DefaultUnencryptedSuffix,
		Version:           "3.0.0",
		LastModified:      time.Now().UTC(),
	}}
	dataKey, errs := tree.GenerateDataKey()
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if err := common.EncryptTree(common.EncryptTreeOpts{Tree: &tree, Cipher: aes.NewCipher(), DataKey: dataKey}); err != nil {
		t.Fatal(err)
	}
	out, err := store.EmitEncryptedFile(tree)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "hunter2") {
		t.Fatalf("it is not encrypted: %s", out)
	}
	return string(out)
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
