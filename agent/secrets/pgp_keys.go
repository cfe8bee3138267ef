package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// addPGP reads one or more private keys in the format of `gpg --armor --export-secret-keys`. The keys stay in memory. sops itself would
// start gpg, or read the key rings of GnuPG 1.
func (k *Keys) addPGP(file keyFile) error {
	entities, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(file.content))
	if err != nil {
		return fmt.Errorf("it is not an armored PGP key: %w", err)
	}
	for _, entity := range entities {
		if err := decryptPrivateKeys(entity, file); err != nil {
			return err
		}
		k.pgp = append(k.pgp, entity)
		k.register(fmt.Sprintf("PGP %X", entity.PrimaryKey.Fingerprint), file.name, string(file.content), string(file.passphrase))
	}
	return nil
}

// decryptPrivateKeys removes the passphrase of the private keys of an entity. The primary key may be missing, as in an export that contains
// only subkeys.
func decryptPrivateKeys(entity *openpgp.Entity, file keyFile) error {
	keys := privateKeys(entity)
	encrypted := slices.ContainsFunc(keys, func(key *packet.PrivateKey) bool { return key.Encrypted })
	switch {
	case len(keys) == 0:
		return fmt.Errorf("the key %X has no private part: export it with gpg --armor --export-secret-keys", entity.PrimaryKey.Fingerprint)
	case encrypted && file.passphrase == nil:
		return file.missingPassphrase()
	case encrypted && entity.DecryptPrivateKeys(file.passphrase) != nil:
		return file.wrongPassphrase()
	}
	return nil
}

// privateKeys returns the private keys that an entity contains. An export of subkeys has a dummy in place of the primary key.
func privateKeys(entity *openpgp.Entity) []*packet.PrivateKey {
	keys := []*packet.PrivateKey{entity.PrivateKey}
	for _, subkey := range entity.Subkeys {
		keys = append(keys, subkey.PrivateKey)
	}
	return slices.DeleteFunc(keys, func(key *packet.PrivateKey) bool { return key == nil || key.Dummy() })
}

var errNoPGPKey = errors.New("no available PGP key opens it")

// decryptWithPGP decrypts an armored message. The fingerprint is the one that sops recorded for its recipient.
func (k *Keys) decryptWithPGP(fingerprint, message string) ([]byte, error) {
	if len(k.pgp) == 0 {
		return nil, errors.New("no PGP key is available")
	}
	block, err := armor.Decode(strings.NewReader(message))
	if err != nil {
		return nil, fmt.Errorf("its PGP message is broken: %w", err)
	}
	read, err := openpgp.ReadMessage(block.Body, k.pgp, nil, nil)
	if err != nil && k.hasPGPKey(fingerprint) {
		return nil, fmt.Errorf("this key is available but does not open it, perhaps because it was exported without a subkey: %w", err)
	}
	if err != nil {
		return nil, errNoPGPKey
	}
	return io.ReadAll(read.UnverifiedBody)
}

// hasPGPKey reports whether a key with this fingerprint is available. sops may have recorded the fingerprint of a subkey, or only the end
// of a fingerprint.
func (k *Keys) hasPGPKey(fingerprint string) bool {
	suffix := strings.ToUpper(strings.TrimSuffix(fingerprint, "!"))
	return suffix != "" && slices.ContainsFunc(k.pgp, func(entity *openpgp.Entity) bool {
		found := strings.HasSuffix(fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint), suffix)
		for _, subkey := range entity.Subkeys {
			found = found || strings.HasSuffix(fmt.Sprintf("%X", subkey.PublicKey.Fingerprint), suffix)
		}
		return found
	})
}
