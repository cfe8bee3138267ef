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

// alone keeps the developer's keys and credentials out.
func alone(t *testing.T) {
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
	check(t, os.Unsetenv(name)) // t.Setenv puts it back
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// taken is TakeKeys for a test.
func taken(t *testing.T, dir string) *Keys {
	t.Helper()
	k, err := TakeKeys(dir)
	check(t, err)
	return k
}

func newIdentity(t *testing.T) *age.X25519Identity {
	t.Helper()
	alone(t)
	identity, err := age.GenerateX25519Identity()
	check(t, err)
	return identity
}

// encrypted is what `sops encrypt --age` makes of the text.
func encrypted(t *testing.T, identity *age.X25519Identity, format formats.Format, plain string) string {
	t.Helper()
	return sealed(t, format, plain, sops.Metadata{KeyGroups: []sops.KeyGroup{{ageKey(t, identity.Recipient().String())}}})
}

func ageKey(t *testing.T, recipient string) keys.MasterKey {
	t.Helper()
	key, err := sopsage.MasterKeyFromRecipient(recipient)
	check(t, err)
	return key
}

// sealed is what sops makes of the text for the recipients, and with the rules, that the metadata names.
func sealed(t *testing.T, format formats.Format, plain string, metadata sops.Metadata) string {
	t.Helper()
	store := common.StoreForFormat(format, config.NewStoresConfig())
	branches, err := store.LoadPlainFile([]byte(plain))
	check(t, err)
	metadata.Version, metadata.LastModified = "3.0.0", time.Now().UTC()
	if metadata.EncryptedRegex+metadata.EncryptedSuffix+metadata.UnencryptedRegex+metadata.UnencryptedSuffix == "" {
		metadata.UnencryptedSuffix = sops.DefaultUnencryptedSuffix
	}
	tree := sops.Tree{Branches: branches, Metadata: metadata}
	dataKey := metadata.DataKey // given where the keys of the groups hold it already
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
		t.Fatalf("it is not encrypted: %s", out)
	}
	return string(out)
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	check(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// mounted is a directory of keys.
func mounted(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	return dir
}
