package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// keyFile is a file with keys or with credentials for a cloud.
type keyFile struct {
	name       string
	content    []byte
	passphrase []byte // nil if there is no file for it
}

// keyKind is a kind of key file.
type keyKind struct {
	pattern string // of the file name, for path.Match
	add     func(*Keys, keyFile) error
}

// keyKinds lists the supported key files. The names are those of Flux's kustomize-controller, so its Secrets can be mounted for the agent.
// Flux has no SSH keys and no passphrases.
var keyKinds = []keyKind{
	{"*.agekey", (*Keys).addAge},
	{"*.asc", (*Keys).addPGP},
	{"*.sshkey", (*Keys).addSSH},
	{"ssh-privatekey", (*Keys).addSSH}, // the key in a Secret of type kubernetes.io/ssh-auth
	{"id_ed25519", (*Keys).addSSH},
	{"id_rsa", (*Keys).addSSH},
	{"sops.vault-token", (*Keys).addVault},
	{"sops.aws-kms", (*Keys).addAWS},
	{"sops.gcp-kms", (*Keys).addGCP},
	{"sops.azure-kv", (*Keys).addAzure},
}

// passphraseSuffix follows the name of a key file in the name of the file with its passphrase.
const passphraseSuffix = ".passphrase"

// readDir reads all keys in a directory. It follows links, because Kubernetes mounts each file of a Secret as a link into a hidden directory.
func (k *Keys) readDir(dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read the keys: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		if err := k.readFile(dir, entry.Name()); err != nil {
			errs = append(errs, fmt.Errorf("read the key %s: %w", filepath.Join(dir, entry.Name()), err))
		}
	}
	return errors.Join(errs...)
}

func (k *Keys) readFile(dir, name string) error {
	file := filepath.Join(dir, name)
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		return err
	}
	if key, ok := strings.CutSuffix(name, passphraseSuffix); ok {
		return checkKeyOfPassphrase(dir, key)
	}
	kind := slices.IndexFunc(keyKinds, func(kind keyKind) bool {
		matches, _ := path.Match(kind.pattern, name) // cannot fail: the patterns are valid
		return matches
	})
	if kind < 0 {
		k.ignoredFiles = append(k.ignoredFiles, name)
		return nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	passphrase, err := readPassphrase(file)
	if err != nil {
		return err
	}
	return keyKinds[kind].add(k, keyFile{name, content, passphrase})
}

// checkKeyOfPassphrase returns an error if a passphrase has no key file. Then one of the two names is wrong.
func checkKeyOfPassphrase(dir, key string) error {
	if _, err := os.Stat(filepath.Join(dir, key)); err != nil {
		return fmt.Errorf("its key file %s does not exist: correct one of the names", key)
	}
	return nil
}

// readPassphrase reads the passphrase of a key file, without the line break that editors append.
func readPassphrase(key string) ([]byte, error) {
	content, err := os.ReadFile(key + passphraseSuffix)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return bytes.TrimRight(content, "\r\n"), err
}

func (f keyFile) missingPassphrase() error {
	return fmt.Errorf("it is encrypted: add its passphrase as %s%s", f.name, passphraseSuffix)
}

func (f keyFile) wrongPassphrase() error {
	return fmt.Errorf("the passphrase in %s%s does not open it", f.name, passphraseSuffix)
}
