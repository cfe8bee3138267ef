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

// addAge reads a file in the format of age-keygen: one identity in each line, and comments. The file may be encrypted by
// `age --passphrase`.
func (k *Keys) addAge(file keyFile) error {
	content, err := decryptKeyFile(file)
	if err != nil {
		return err
	}
	count := 0
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
		k.register(public, file.name, line, string(file.passphrase))
		count++
	}
	if count == 0 {
		return fmt.Errorf("%s contains no age key: the line of a key begins with AGE-SECRET-KEY-", file.name)
	}
	return nil
}

// parseIdentity parses one line of a key file, and also returns the public key. Its errors do not contain the line.
func parseIdentity(line string) (identity age.Identity, public string, err error) {
	switch {
	case strings.HasPrefix(line, "AGE-SECRET-KEY-PQ-1"):
		hybrid, err := age.ParseHybridIdentity(line)
		if err != nil {
			return nil, "", errors.New("it is not an age key: perhaps a part is missing")
		}
		return hybrid, hybrid.Recipient().String(), nil
	case strings.HasPrefix(line, "AGE-SECRET-KEY-1"):
		native, err := age.ParseX25519Identity(line)
		if err != nil {
			return nil, "", errors.New("it is not an age key: perhaps a part is missing")
		}
		return native, native.Recipient().String(), nil
	case strings.HasPrefix(line, "AGE-PLUGIN-"):
		return nil, "", errors.New("keys of age plugins are not supported, because the agent runs no other program")
	default:
		return nil, "", errors.New("it is not an age key, which begins with AGE-SECRET-KEY-")
	}
}

// decryptKeyFile returns the content of a file of identities. It decrypts the file with its passphrase if age encrypted it.
func decryptKeyFile(file keyFile) ([]byte, error) {
	var encrypted io.Reader = bytes.NewReader(file.content)
	switch {
	case bytes.HasPrefix(file.content, []byte(armor.Header)):
		encrypted = armor.NewReader(encrypted)
	case !bytes.HasPrefix(file.content, []byte("age-encryption.org/")):
		return file.content, nil
	}
	if file.passphrase == nil {
		return nil, file.missingPassphrase()
	}
	passphrase, err := age.NewScryptIdentity(string(file.passphrase))
	if err != nil {
		return nil, file.wrongPassphrase()
	}
	plain, err := age.Decrypt(encrypted, passphrase)
	if err != nil {
		return nil, file.wrongPassphrase()
	}
	return io.ReadAll(plain)
}

// addSSH reads a private SSH key. age, and therefore sops, can encrypt files for SSH keys.
func (k *Keys) addSSH(file keyFile) error {
	content := file.content
	_, err := ssh.ParseRawPrivateKey(content)
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		if file.passphrase == nil {
			return file.missingPassphrase()
		}
		if content, err = decryptSSHKey(file); err != nil {
			return err
		}
	}
	identity, err := agessh.ParseIdentity(content)
	if err != nil {
		return errors.New("it is not a private SSH key of the type ed25519 or rsa; age supports only these types")
	}
	signer, err := ssh.ParsePrivateKey(content)
	if err != nil {
		return err
	}
	k.age = append(k.age, identity)
	k.register(sshFingerprint(signer.PublicKey()), file.name, string(file.content), string(content), string(file.passphrase))
	return nil
}

// decryptSSHKey returns the key without its passphrase. It keeps the key only in memory.
func decryptSSHKey(file keyFile) ([]byte, error) {
	key, err := ssh.ParseRawPrivateKeyWithPassphrase(file.content, file.passphrase)
	if err != nil {
		return nil, file.wrongPassphrase()
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(block), nil
}

// sshFingerprint returns the type and the fingerprint of a public key, as `ssh-keygen -l` shows them.
func sshFingerprint(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }

func withoutComments(text string) string {
	var rest strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			rest.WriteString(line)
		}
	}
	return rest.String()
}
