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

// Keys are what this process decrypts with, read into memory once. The zero value has none of its own. What needs no key
// file works with any: a cloud's workload identity, VAULT_TOKEN, SOPS_AGE_KEY_FILE.
type Keys struct {
	// Permits says whether an encrypted file may name this host:port as its key server; nil permits all.
	Permits func(host string) bool

	age   age.ParsedIdentities
	pgp   openpgp.EntityList // unlocked
	vault hcvault.Token
	aws   *kms.CredentialsProvider
	gcp   gcpkms.CredentialJSON
	azure *azkv.TokenCredential

	atHand  []string // each as a person knows it: its public form, and where it comes from
	ignored []string // files in the directory whose names are no keys'
	private []string // what no text may show
}

// TakeKeys reads the keys that are mounted in a directory, if one is named, and takes those in the environment out of it.
// Its error names the file and carries exit.SecretsUnreadable.
func TakeKeys(dir string) (*Keys, error) {
	k := &Keys{}
	if err := errors.Join(k.readDir(dir), k.takeEnvironment()); err != nil {
		return nil, exit.With(exit.SecretsUnreadable, err)
	}
	return k, nil
}

// Private are the keys themselves, for the mask.
func (k *Keys) Private() []string { return k.private }

// has notes a key for messages, and the texts that must stay private.
func (k *Keys) has(public, from string, private ...string) {
	k.atHand = append(k.atHand, fmt.Sprintf("%s (%s)", public, from))
	for _, text := range private {
		if text = strings.TrimSpace(text); text != "" {
			k.private = append(k.private, text)
		}
	}
}

// takeEnvironment takes SOPS_AGE_KEY out of the environment, and the variables that make sops run a command, which are never honoured. What remains are names of files (SOPS_AGE_KEY_FILE,
// SOPS_AGE_SSH_PRIVATE_KEY_FILE) and the tokens that vals and the clouds' libraries look up whenever they need them
// (VAULT_TOKEN, AWS_SECRET_ACCESS_KEY). The process that reads the helmfile gets those only that templateEnv names.
func (k *Keys) takeEnvironment() error {
	given := os.Getenv(age.SopsAgeKeyEnv)
	for _, name := range []string{age.SopsAgeKeyEnv, age.SopsAgeKeyCmdEnv, age.SopsAgeSshPrivateKeyCmdEnv, "SOPS_GPG_EXEC"} {
		_ = os.Unsetenv(name) // fails only for names that no variable can have
	}
	k.noteFile()
	if given == "" {
		return nil
	}
	lines := strings.Join(strings.Fields(withoutComments(given)), "\n") // sops allows several keys in a line
	return k.addAge(keyFile{name: age.SopsAgeKeyEnv, content: []byte(lines)})
}

// noteFile reads the file that sops would read by itself, so that messages can name the keys in it. That it cannot be read
// matters only when it is needed; then sops says why.
func (k *Keys) noteFile() {
	path := os.Getenv(age.SopsAgeKeyFileEnv)
	if path == "" {
		return
	}
	if content, err := os.ReadFile(path); err == nil {
		_ = k.addAge(keyFile{name: age.SopsAgeKeyFileEnv, content: content})
	}
}
