package secrets

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"
)

// addAge reads a file as age-keygen writes it: an identity in each line, and comments. It may be encrypted with a
// passphrase, as `age --passphrase` does.
func (k *Keys) addAge(file keyFile) error {
	content, err := opened(file)
	if err != nil {
		return err
	}
	found := 0
	for number, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		identity, public, err := parseIdentity(line)
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", file.name, number+1, err)
		}
		k.age = append(k.age, identity)
		k.has(public, file.name, line, string(file.passphrase))
		found++
	}
	if found == 0 {
		return fmt.Errorf("%s holds no age key: a line with one begins with AGE-SECRET-KEY-", file.name)
	}
	return nil
}

// parseIdentity reads one identity. Errors never quote it.
func parseIdentity(line string) (identity age.Identity, public string, err error) {
	switch {
	case strings.HasPrefix(line, "AGE-SECRET-KEY-PQ-1"):
		hybrid, err := age.ParseHybridIdentity(line)
		if err != nil {
			return nil, "", errors.New("it is no age key: perhaps a part is missing")
		}
		return hybrid, hybrid.Recipient().String(), nil
	case strings.HasPrefix(line, "AGE-SECRET-KEY-1"):
		native, err := age.ParseX25519Identity(line)
		if err != nil {
			return nil, "", errors.New("it is no age key: perhaps a part is missing")
		}
		return native, native.Recipient().String(), nil
	case strings.HasPrefix(line, "AGE-PLUGIN-"):
		return nil, "", errors.New("keys of age plugins are not supported: the agent runs no other program")
	default:
		return nil, "", errors.New("it is no age key: one begins with AGE-SECRET-KEY-")
	}
}

// opened is the content of a file of identities, decrypted with its passphrase if that is needed.
func opened(file keyFile) ([]byte, error) {
	var encrypted io.Reader = bytes.NewReader(file.content)
	switch {
	case bytes.HasPrefix(file.content, []byte(armor.Header)):
		encrypted = armor.NewReader(encrypted)
	case !bytes.HasPrefix(file.content, []byte("age-encryption.org/")):
		return file.content, nil
	}
	if file.passphrase == nil {
		return nil, file.errNoPassphrase()
	}
	passphrase, err := age.NewScryptIdentity(string(file.passphrase))
	if err != nil {
		return nil, file.errPassphrase()
	}
	plain, err := age.Decrypt(encrypted, passphrase)
	if err != nil {
		return nil, file.errPassphrase()
	}
	return io.ReadAll(plain)
}

// addSSH reads a private SSH key, which age and so sops can encrypt for.
func (k *Keys) addSSH(file keyFile) error {
	content := file.content
	_, err := ssh.ParseRawPrivateKey(content)
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		if file.passphrase == nil {
			return file.errNoPassphrase()
		}
		if content, err = unlockedSSH(file); err != nil {
			return err
		}
	}
	identity, err := agessh.ParseIdentity(content)
	if err != nil {
		return errors.New("it is no private SSH key of the type ed25519 or rsa, which are those that age can use")
	}
	signer, err := ssh.ParsePrivateKey(content)
	if err != nil {
		return err
	}
	k.age = append(k.age, identity)
	k.has(sshName(signer.PublicKey()), file.name, string(file.content), string(content), string(file.passphrase))
	return nil
}

// unlockedSSH is the key without its passphrase, in memory only.
func unlockedSSH(file keyFile) ([]byte, error) {
	key, err := ssh.ParseRawPrivateKeyWithPassphrase(file.content, file.passphrase)
	if err != nil {
		return nil, file.errPassphrase()
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(block), nil
}

// sshName is a public key as `ssh-keygen -l` shows it: the keys themselves are long.
func sshName(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }

func withoutComments(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
