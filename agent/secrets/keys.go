package secrets

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/azkv"
	"github.com/getsops/sops/v3/gcpkms"
	"github.com/getsops/sops/v3/hcvault"
	"github.com/getsops/sops/v3/kms"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Keys holds in memory all keys and credentials with which the agent decrypts files. The zero value holds none. It can still decrypt with
// what sops finds itself: the workload identity of a cloud, VAULT_TOKEN, or SOPS_AGE_KEY_FILE.
type Keys struct {
	// AllowServer reports whether the agent may send its token to this key server. The host has a port. If AllowServer is nil, all servers
	// are permitted.
	AllowServer func(host string) bool

	age   age.ParsedIdentities
	pgp   openpgp.EntityList // without passphrases
	vault hcvault.Token
	aws   *kms.CredentialsProvider
	gcp   gcpkms.CredentialJSON
	azure *azkv.TokenCredential

	available    []string // for messages: the public part of each key, and its file or variable
	ignoredFiles []string // the names of other files in the directory
	secretTexts  []string
}

// LoadKeys reads the keys in a directory and in the environment, and removes them from the environment. If dir is empty, it reads only the
// environment. Its error names the file and has the code exit.SecretsUnreadable.
func LoadKeys(dir string) (*Keys, error) {
	k := &Keys{}
	if err := errors.Join(k.readDir(dir), k.readEnvironment()); err != nil {
		return nil, exit.With(exit.SecretsUnreadable, err)
	}
	return k, nil
}

// SecretTexts returns the keys, credentials and passphrases, for the mask.
func (k *Keys) SecretTexts() []string { return k.secretTexts }

// register records the public part of a key and its source for messages, and its secret texts for the mask.
func (k *Keys) register(public, source string, secretTexts ...string) {
	k.available = append(k.available, fmt.Sprintf("%s (%s)", public, source))
	for _, text := range secretTexts {
		if text = strings.TrimSpace(text); text != "" {
			k.secretTexts = append(k.secretTexts, text)
		}
	}
}

// readEnvironment reads SOPS_AGE_KEY and removes it from the environment. It also removes the variables that would make sops run a command.
// It keeps the names of files (SOPS_AGE_KEY_FILE, SOPS_AGE_SSH_PRIVATE_KEY_FILE), and the tokens that vals and the libraries of clouds read
// later (VAULT_TOKEN, AWS_SECRET_ACCESS_KEY). The loader gets only the variables that templateEnv names.
func (k *Keys) readEnvironment() error {
	content := os.Getenv(age.SopsAgeKeyEnv)
	for _, name := range []string{age.SopsAgeKeyEnv, age.SopsAgeKeyCmdEnv, age.SopsAgeSshPrivateKeyCmdEnv, "SOPS_GPG_EXEC"} {
		_ = os.Unsetenv(name) // cannot fail: the names are valid
	}
	k.readSopsKeyFile()
	if content == "" {
		return nil
	}
	lines := strings.Join(strings.Fields(withoutComments(content)), "\n") // sops accepts several keys in one line
	return k.addAge(keyFile{name: age.SopsAgeKeyEnv, content: []byte(lines)})
}

// readSopsKeyFile reads the file that sops also reads itself, so that messages and the mask know its keys. It ignores errors: if the file is
// needed, sops reports them.
func (k *Keys) readSopsKeyFile() {
	path := os.Getenv(age.SopsAgeKeyFileEnv)
	if path == "" {
		return
	}
	if content, err := os.ReadFile(path); err == nil {
		_ = k.addAge(keyFile{name: age.SopsAgeKeyFileEnv, content: content})
	}
}
