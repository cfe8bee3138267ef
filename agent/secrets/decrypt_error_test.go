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

// TestWhatAFailureSays: the file, for whom it is encrypted, why none of their keys serves, what is at hand; no line breaks
// but its own, no colours, no key.
func TestWhatAFailureSays(t *testing.T) {
	alone(t)
	team, deploy := pgpKey(t, packet.PubKeyAlgoEdDSA, ""), sshKey(t, newEd25519(t), "id_ed25519", "")
	path := write(t, "secrets.yaml", sealed(t, formats.Yaml, "password: hunter2\n", sops.Metadata{KeyGroups: []sops.KeyGroup{{team.key, deploy.key}}}))
	other := pgpKey(t, packet.PubKeyAlgoEdDSA, "")
	k := taken(t, mounted(t, map[string]string{"ci.asc": other.files["key.asc"], "age.agekey": newIdentity(t).String(), "sops.vault-token": "s.token", "README": ""}))
	_, err := k.DecryptFile(path)
	want := "cannot decrypt " + path + ": no key at hand opens it\n" +
		"  encrypted for PGP " + team.key.ToString() + ": none of the PGP keys at hand is for it\n" +
		"  encrypted for " + describe(deploy.key) + ": none of the age keys at hand is for it\n" +
		"  at hand: " + k.atHand[0] + ", PGP " + other.key.ToString() + " (ci.asc), a Vault token (sops.vault-token)\n" +
		"  ignored, because no key has such a name: README"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestAKeyWithoutItsSubkey: the fingerprint is the right one, so the message must not say that the key is missing.
func TestAKeyWithoutItsSubkey(t *testing.T) {
	alone(t)
	entity := newPGP(t, packet.PubKeyAlgoEdDSA)
	var ring bytes.Buffer
	check(t, entity.Serialize(&ring))
	check(t, os.WriteFile(filepath.Join(os.Getenv("GNUPGHOME"), "pubring.gpg"), ring.Bytes(), 0o600))
	key := pgp.NewMasterKeyFromFingerprint(fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint))
	path := write(t, "secrets.yaml", sealed(t, formats.Yaml, "password: hunter2\n", sops.Metadata{KeyGroups: []sops.KeyGroup{{key}}}))
	entity.Subkeys = nil
	exported := armored(t, openpgp.PrivateKeyType, func(w io.Writer) error { return entity.SerializePrivateWithoutSigning(w, nil) })
	_, err := taken(t, mounted(t, map[string]string{"team.asc": exported})).DecryptFile(path)
	if err == nil || !strings.Contains(err.Error(), "this key is at hand but does not open it, perhaps because it was exported without a subkey") {
		t.Errorf("got %v", err)
	}
}
