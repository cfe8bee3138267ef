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

// keyFile is a mounted key, or credentials.
type keyFile struct {
	name       string
	content    []byte
	passphrase []byte // nil if there is none
}

// keyKind is a kind of file by its name, a pattern of path.Match.
type keyKind struct {
	pattern string
	add     func(*Keys, keyFile) error
}

// keyKinds are those that are understood. The names are those of Flux's kustomize-controller, so that its Secrets serve
// here too; SSH keys and passphrases are ours.
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

// passphraseOf ends the name of a file that holds the passphrase of the key file whose name stands before it.
const passphraseOf = ".passphrase"

// readDir reads every key in the directory. Kubernetes links each to a hidden directory that it replaces as a whole.
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
	if key, ok := strings.CutSuffix(name, passphraseOf); ok {
		return belongs(dir, key)
	}
	kind := slices.IndexFunc(keyKinds, func(kind keyKind) bool {
		matches, _ := path.Match(kind.pattern, name) // the patterns are well-formed
		return matches
	})
	if kind < 0 {
		k.ignored = append(k.ignored, name)
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

// belongs finds a passphrase without its key, which is a mistake in one of the names.
func belongs(dir, key string) error {
	if _, err := os.Stat(filepath.Join(dir, key)); err != nil {
		return fmt.Errorf("there is no file %s that it could be the passphrase of", key)
	}
	return nil
}

// readPassphrase leaves out the line break that editors append.
func readPassphrase(key string) ([]byte, error) {
	content, err := os.ReadFile(key + passphraseOf)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return bytes.TrimRight(content, "\r\n"), err
}

// errNoPassphrase is why a key that is encrypted cannot be used.
func (f keyFile) errNoPassphrase() error {
	return fmt.Errorf("it is encrypted: add its passphrase as %s%s", f.name, passphraseOf)
}

// errPassphrase is for a passphrase that does not open its key.
func (f keyFile) errPassphrase() error {
	return fmt.Errorf("the passphrase in %s%s does not open it", f.name, passphraseOf)
}
