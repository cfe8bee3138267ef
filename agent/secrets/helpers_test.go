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
	"github.com/getsops/sops/v3/keys"
)

// isolate hides the keys and credentials of the developer from the test.
func isolate(t *testing.T) {
	t.Helper()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "GNUPGHOME"} {
		t.Setenv(name, t.TempDir())
	}
	for _, name := range []string{"SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD", "SOPS_AGE_SSH_PRIVATE_KEY_FILE", "SOPS_GPG_EXEC"} {
		unset(t, name)
	}
}

func unset(t *testing.T, name string) {
	t.Helper()
	t.Setenv(name, "")
	check(t, os.Unsetenv(name)) // t.Setenv restores it
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// loadKeys is LoadKeys for a test.
func loadKeys(t *testing.T, dir string) *Keys {
	t.Helper()
	k, err := LoadKeys(dir)
	check(t, err)
	return k
}

func newIdentity(t *testing.T) *age.X25519Identity {
	t.Helper()
	isolate(t)
	identity, err := age.GenerateX25519Identity()
	check(t, err)
	return identity
}

// encrypt does the same as `sops encrypt --age`.
func encrypt(t *testing.T, identity *age.X25519Identity, format formats.Format, plain string) string {
	t.Helper()
	return encryptWith(t, format, plain, sops.Metadata{KeyGroups: []sops.KeyGroup{{ageKey(t, identity.Recipient().String())}}})
}

func ageKey(t *testing.T, recipient string) keys.MasterKey {
	t.Helper()
	key, err := sopsage.MasterKeyFromRecipient(recipient)
	check(t, err)
	return key
}

// encryptWith encrypts a text as sops does, for the recipients and with the rules of the metadata.
func encryptWith(t *testing.T, format formats.Format, plain string, metadata sops.Metadata) string {
	t.Helper()
	store := common.StoreForFormat(format, config.NewStoresConfig())
	branches, err := store.LoadPlainFile([]byte(plain))
	check(t, err)
	metadata.Version, metadata.LastModified = "3.0.0", time.Now().UTC()
	if metadata.EncryptedRegex+metadata.EncryptedSuffix+metadata.UnencryptedRegex+metadata.UnencryptedSuffix == "" {
		metadata.UnencryptedSuffix = sops.DefaultUnencryptedSuffix
	}
	tree := sops.Tree{Branches: branches, Metadata: metadata}
	dataKey := metadata.DataKey // set if the keys of the groups have encrypted it already
	if dataKey == nil {
		var errs []error
		if dataKey, errs = tree.GenerateDataKey(); len(errs) > 0 {
			t.Fatal(errs)
		}
	}
	check(t, common.EncryptTree(common.EncryptTreeOpts{Tree: &tree, Cipher: aes.NewCipher(), DataKey: dataKey}))
	out, err := store.EmitEncryptedFile(tree)
	check(t, err)
	if strings.Contains(string(out), "hunter2") {
		t.Fatalf("the text is not encrypted: %s", out)
	}
	return string(out)
}

// decryptFile decrypts a file with the format that its name implies.
func decryptFile(t *testing.T, k *Keys, path string) ([]byte, error) {
	t.Helper()
	content, err := os.ReadFile(path)
	check(t, err)
	return k.DecryptNamed(path, content)
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	check(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// keyDir makes a directory with key files.
func keyDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	return dir
}
