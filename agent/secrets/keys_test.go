package secrets

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	agearmor "filippo.io/age/armor"
	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/keys"
	"github.com/getsops/sops/v3/pgp"
	"golang.org/x/crypto/ssh"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

const passphrase = "correct horse battery staple"

// recipient is a key that a file is encrypted for, with the key files that open it.
type recipient struct {
	key    keys.MasterKey
	files  map[string]string
	public string // the key in messages
}

// TestKeyFiles encrypts a file for a new key of each kind that needs no cloud, and decrypts it with only the mounted key files.
func TestKeyFiles(t *testing.T) {
	for name, newRecipient := range map[string]func(*testing.T) recipient{
		"an age key": func(t *testing.T) recipient {
			key := newIdentity(t)
			return recipient{ageKey(t, key.Recipient().String()), map[string]string{"team.agekey": key.String()}, key.Recipient().String() + " (team.agekey)"}
		},
		"one of several age keys among comments": func(t *testing.T) recipient {
			key, other := newIdentity(t), newIdentity(t)
			content := "# created: today\n\n# public key: " + other.Recipient().String() + "\n" + other.String() + "\r\n  " + key.String() + "\n"
			return recipient{ageKey(t, key.Recipient().String()), map[string]string{"team.agekey": content, "old.agekey": newIdentity(t).String()}, key.Recipient().String()}
		},
		"a hybrid age key, safe from quantum computers": func(t *testing.T) recipient {
			key, err := age.GenerateHybridIdentity()
			check(t, err)
			return recipient{ageKey(t, key.Recipient().String()), map[string]string{"team.agekey": key.String()}, key.Recipient().String()}
		},
		"an age key with a passphrase": func(t *testing.T) recipient {
			key := newIdentity(t)
			files := map[string]string{"team.agekey": withPassphrase(t, key.String(), false), "team.agekey.passphrase": passphrase}
			return recipient{ageKey(t, key.Recipient().String()), files, key.Recipient().String()}
		},
		"an armored age key with a passphrase": func(t *testing.T) recipient {
			key := newIdentity(t)
			files := map[string]string{"team.agekey": withPassphrase(t, key.String(), true), "team.agekey.passphrase": passphrase + "\n"}
			return recipient{ageKey(t, key.Recipient().String()), files, key.Recipient().String()}
		},
		"an SSH key, ed25519":                  func(t *testing.T) recipient { return sshKey(t, newEd25519(t), "id_ed25519", "") },
		"an SSH key, RSA":                      func(t *testing.T) recipient { return sshKey(t, newRSA(t), "id_rsa", "") },
		"an SSH key with a passphrase":         func(t *testing.T) recipient { return sshKey(t, newEd25519(t), "deploy.sshkey", passphrase) },
		"an RSA key with a passphrase":         func(t *testing.T) recipient { return sshKey(t, newRSA(t), "ssh-privatekey", passphrase) },
		"a PGP key, RSA":                       func(t *testing.T) recipient { return pgpKey(t, packet.PubKeyAlgoRSA, "") },
		"a PGP key, ed25519":                   func(t *testing.T) recipient { return pgpKey(t, packet.PubKeyAlgoEdDSA, "") },
		"an RSA PGP key with a passphrase":     func(t *testing.T) recipient { return pgpKey(t, packet.PubKeyAlgoRSA, passphrase) },
		"an ed25519 PGP key with a passphrase": func(t *testing.T) recipient { return pgpKey(t, packet.PubKeyAlgoEdDSA, passphrase) },
	} {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			recipient := newRecipient(t)
			path := write(t, "secrets.yaml", encryptWith(t, formats.Yaml, "password: hunter2\n", sops.Metadata{KeyGroups: []sops.KeyGroup{{recipient.key}}}))
			isolate(t) // removes what was needed to encrypt

			if plain, err := decryptFile(t, loadKeys(t, keyDir(t, map[string]string{"other.agekey": newIdentity(t).String()})), path); err == nil {
				t.Fatalf("another key decrypted the file to %q", plain)
			}
			k := loadKeys(t, keyDir(t, recipient.files))
			if plain, err := decryptFile(t, k, path); err != nil || string(plain) != "password: hunter2\n" {
				t.Errorf("got %q, %v", plain, err)
			}
			if !strings.Contains(k.describeAvailable(), recipient.public) {
				t.Errorf("the available keys are %s, without %s", k.describeAvailable(), recipient.public)
			}
			for file, content := range recipient.files {
				for line := range strings.Lines(content) {
					line = strings.TrimSpace(line)
					if len(line) > 30 && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "-----") && strings.Contains(k.describeAvailable(), line) {
						t.Errorf("the message contains a line of %s: %s", file, k.describeAvailable())
					}
				}
			}
			if len(k.SecretTexts()) == 0 || strings.Contains(strings.Join(k.SecretTexts(), "\n"), "# created") {
				t.Errorf("got %d secret texts, or a comment among them", len(k.SecretTexts()))
			}
		})
	}
}

// TestInvalidKeyFiles checks that an invalid key file ends the run, and that the error names the file.
func TestInvalidKeyFiles(t *testing.T) {
	isolate(t)
	key := newIdentity(t)
	locked := pgpKey(t, packet.PubKeyAlgoEdDSA, passphrase)
	lockedSSH := sshKey(t, newEd25519(t), "id_ed25519", passphrase)
	public := sshKey(t, newEd25519(t), "id_ed25519", "").key.ToString()
	for name, test := range map[string]struct {
		files   map[string]string
		message string
	}{
		"an incomplete age key":          {map[string]string{"a.agekey": "# mine\n" + key.String()[:40]}, "a.agekey, line 2: it is not an age key: perhaps a part is missing"},
		"a public age key":               {map[string]string{"a.agekey": key.Recipient().String()}, "which begins with AGE-SECRET-KEY-"},
		"an age key of a plugin":         {map[string]string{"a.agekey": "AGE-PLUGIN-YUBIKEY-1QQQQ"}, "plugins are not supported"},
		"an empty age file":              {map[string]string{"a.agekey": "# nothing\n"}, "contains no age key"},
		"an age file without passphrase": {map[string]string{"a.agekey": withPassphrase(t, key.String(), true)}, "add its passphrase as a.agekey.passphrase"},
		"a wrong passphrase for age": {map[string]string{"a.agekey": withPassphrase(t, key.String(), true), "a.agekey.passphrase": "wrong-pass"},
			"the passphrase in a.agekey.passphrase does not open it"},
		"a passphrase without a key":        {map[string]string{"a.passphrase": passphrase}, "its key file a does not exist"},
		"a PGP key without passphrase":      {map[string]string{"key.asc": locked.files["key.asc"]}, "add its passphrase as key.asc.passphrase"},
		"a wrong passphrase for PGP":        {map[string]string{"key.asc": locked.files["key.asc"], "key.asc.passphrase": "wrong-pass"}, "does not open it"},
		"a public PGP key":                  {map[string]string{"key.asc": publicPGP(t)}, "has no private part"},
		"a text that is not a PGP key":      {map[string]string{"key.asc": "hello"}, "it is not an armored PGP key"},
		"an SSH key without passphrase":     {map[string]string{"id_ed25519": lockedSSH.files["id_ed25519"]}, "add its passphrase as id_ed25519.passphrase"},
		"a wrong passphrase for SSH":        {map[string]string{"id_ed25519": lockedSSH.files["id_ed25519"], "id_ed25519.passphrase": "wrong-pass"}, "does not open it"},
		"a public SSH key":                  {map[string]string{"id_ed25519": public}, "it is not a private SSH key"},
		"an empty Vault token":              {map[string]string{"sops.vault-token": "\n"}, "it contains no token"},
		"half of AWS credentials":           {map[string]string{"sops.aws-kms": "aws_access_key_id: AKIA"}, "aws_secret_access_key"},
		"GCP credentials that are not JSON": {map[string]string{"sops.gcp-kms": "token"}, "the JSON file of a service account key"},
		"half of Azure credentials":         {map[string]string{"sops.azure-kv": "tenantId: a\nclientId: b"}, "clientSecret or clientCertificate is missing"},
		"empty Azure credentials":           {map[string]string{"sops.azure-kv": "{}"}, "clientId is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := keyDir(t, test.files)
			_, err := LoadKeys(dir)
			if err == nil || exit.Of(err) != exit.SecretsUnreadable {
				t.Fatalf("got %v, %s", err, exit.Of(err))
			}
			if message := err.Error(); !strings.Contains(message, dir) || !strings.Contains(message, test.message) {
				t.Errorf("got %s", message)
			}
			for _, content := range test.files {
				if len(content) > 8 && strings.Contains(err.Error(), strings.TrimSpace(content)) {
					t.Errorf("the message contains the file: %v", err)
				}
			}
		})
	}
}

// TestKeysInMountedSecret checks a directory as Kubernetes mounts a Secret: each file is a link into a hidden directory. Files with other
// names are ignored; the error names them if no key opens a file.
func TestKeysInMountedSecret(t *testing.T) {
	key := newIdentity(t)
	dir := t.TempDir()
	check(t, os.Mkdir(filepath.Join(dir, "..2026_01_01"), 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "..2026_01_01", "age.agekey"), []byte(key.String()), 0o600))
	check(t, os.Symlink("..2026_01_01", filepath.Join(dir, "..data")))
	check(t, os.Symlink("..data/age.agekey", filepath.Join(dir, "age.agekey")))
	check(t, os.WriteFile(filepath.Join(dir, "age.key"), []byte("misnamed"), 0o600))

	k := loadKeys(t, dir)
	path := write(t, "secrets.yaml", encrypt(t, key, formats.Yaml, "password: hunter2\n"))
	if _, err := decryptFile(t, k, path); err != nil {
		t.Error(err)
	}
	other := write(t, "secrets.yaml", encrypt(t, newIdentity(t), formats.Yaml, "password: hunter2\n"))
	if _, err := decryptFile(t, k, other); err == nil || !strings.Contains(err.Error(), "ignored files, because their names are not those of keys: age.key") {
		t.Errorf("got %v", err)
	}
}

func withPassphrase(t *testing.T, plain string, armored bool) string {
	t.Helper()
	recipient, err := age.NewScryptRecipient(passphrase)
	check(t, err)
	recipient.SetWorkFactor(10) // the default takes a second
	var file bytes.Buffer
	var out io.WriteCloser = nopCloser{&file}
	if armored {
		out = agearmor.NewWriter(&file)
	}
	writer, err := age.Encrypt(out, recipient)
	check(t, err)
	_, err = io.WriteString(writer, plain)
	check(t, err)
	check(t, writer.Close())
	check(t, out.Close())
	return file.String()
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func newEd25519(t *testing.T) crypto.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	return key
}

func newRSA(t *testing.T) crypto.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(t, err)
	return key
}

// sshKey writes a key in the format of ssh-keygen.
func sshKey(t *testing.T, key crypto.PrivateKey, name, passphrase string) recipient {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(key)
	check(t, err)
	public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	files := map[string]string{}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
		files[name+".passphrase"] = passphrase
	}
	check(t, err)
	files[name] = string(pem.EncodeToMemory(block))
	return recipient{ageKey(t, public), files, ssh.FingerprintSHA256(signer.PublicKey()) + " (" + name + ")"}
}

// pgpKey makes and exports a PGP key without gpg. sops finds its public part in GNUPGHOME when it encrypts.
func pgpKey(t *testing.T, algorithm packet.PublicKeyAlgorithm, passphrase string) recipient {
	t.Helper()
	entity := newPGP(t, algorithm)
	var ring bytes.Buffer
	check(t, entity.Serialize(&ring))
	check(t, os.WriteFile(filepath.Join(os.Getenv("GNUPGHOME"), "pubring.gpg"), ring.Bytes(), 0o600))
	files := map[string]string{}
	if passphrase != "" {
		check(t, entity.EncryptPrivateKeys([]byte(passphrase), nil))
		files["key.asc.passphrase"] = passphrase
	}
	files["key.asc"] = armored(t, openpgp.PrivateKeyType, func(w io.Writer) error { return entity.SerializePrivateWithoutSigning(w, nil) })
	fingerprint := fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint)
	return recipient{pgp.NewMasterKeyFromFingerprint(fingerprint), files, "PGP " + fingerprint + " (key.asc)"}
}

func newPGP(t *testing.T, algorithm packet.PublicKeyAlgorithm) *openpgp.Entity {
	t.Helper()
	entity, err := openpgp.NewEntity("team", "", "team@example.com", &packet.Config{Algorithm: algorithm, RSABits: 2048})
	check(t, err)
	return entity
}

func publicPGP(t *testing.T) string {
	t.Helper()
	return armored(t, openpgp.PublicKeyType, newPGP(t, packet.PubKeyAlgoEdDSA).Serialize)
}

func armored(t *testing.T, kind string, serialize func(io.Writer) error) string {
	t.Helper()
	var file bytes.Buffer
	out, err := armor.Encode(&file, kind, nil)
	check(t, err)
	check(t, serialize(out))
	check(t, out.Close())
	return file.String()
}
