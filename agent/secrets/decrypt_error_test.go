package secrets

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/pgp"
)

// TestNoKeyError checks the whole message: the file, the result for each recipient, and the available keys. The errors of the libraries have
// no line breaks and colours in it.
func TestNoKeyError(t *testing.T) {
	isolate(t)
	team, deploy := pgpKey(t, packet.PubKeyAlgoEdDSA, ""), sshKey(t, newEd25519(t), "id_ed25519", "")
	path := write(t, "secrets.yaml", encryptWith(t, formats.Yaml, "password: hunter2\n", sops.Metadata{KeyGroups: []sops.KeyGroup{{team.key, deploy.key}}}))
	other := pgpKey(t, packet.PubKeyAlgoEdDSA, "")
	k := loadKeys(t, keyDir(t, map[string]string{"ci.asc": other.files["key.asc"], "age.agekey": newIdentity(t).String(), "sops.vault-token": "s.token", "README": ""}))
	_, err := decryptFile(t, k, path)
	want := "cannot decrypt " + path + ": no available key opens it\n" +
		"  encrypted for PGP " + team.key.ToString() + ": no available PGP key opens it\n" +
		"  encrypted for " + describeRecipient(deploy.key) + ": no available age key opens it\n" +
		"  available keys: " + k.available[0] + ", PGP " + other.key.ToString() + " (ci.asc), a Vault token (sops.vault-token)\n" +
		"  ignored files, because their names are not those of keys: README"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestPGPKeyWithoutSubkey checks that the message does not say that the key is missing: its fingerprint is the right one.
func TestPGPKeyWithoutSubkey(t *testing.T) {
	isolate(t)
	entity := newPGP(t, packet.PubKeyAlgoEdDSA)
	var ring bytes.Buffer
	check(t, entity.Serialize(&ring))
	check(t, os.WriteFile(filepath.Join(os.Getenv("GNUPGHOME"), "pubring.gpg"), ring.Bytes(), 0o600))
	key := pgp.NewMasterKeyFromFingerprint(fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint))
	path := write(t, "secrets.yaml", encryptWith(t, formats.Yaml, "password: hunter2\n", sops.Metadata{KeyGroups: []sops.KeyGroup{{key}}}))
	entity.Subkeys = nil
	exported := armored(t, openpgp.PrivateKeyType, func(w io.Writer) error { return entity.SerializePrivateWithoutSigning(w, nil) })
	_, err := decryptFile(t, loadKeys(t, keyDir(t, map[string]string{"team.asc": exported})), path)
	if err == nil || !strings.Contains(err.Error(), "this key is available but does not open it, perhaps because it was exported without a subkey") {
		t.Errorf("got %v", err)
	}
}
