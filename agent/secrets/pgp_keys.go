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

// addPGP reads private keys as `gpg --armor --export-secret-keys` writes them, one or more. sops would start gpg, or read
// key rings of GnuPG 1; here the keys stay in memory.
func (k *Keys) addPGP(file keyFile) error {
	entities, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(file.content))
	if err != nil {
		return fmt.Errorf("it is no armored PGP key: %w", err)
	}
	for _, entity := range entities {
		if err := unlock(entity, file); err != nil {
			return err
		}
		k.pgp = append(k.pgp, entity)
		k.has(fmt.Sprintf("PGP %X", entity.PrimaryKey.Fingerprint), file.name, string(file.content), string(file.passphrase))
	}
	return nil
}

// unlock makes the private keys usable. A primary key may be missing, as in an export of subkeys only.
func unlock(entity *openpgp.Entity, file keyFile) error {
	private, locked := false, false
	for _, key := range privateKeys(entity) {
		private = true
		locked = locked || key.Encrypted
	}
	switch {
	case !private:
		return fmt.Errorf("the key %X has no private part: export it with gpg --armor --export-secret-keys", entity.PrimaryKey.Fingerprint)
	case locked && file.passphrase == nil:
		return file.errNoPassphrase()
	case locked && entity.DecryptPrivateKeys(file.passphrase) != nil:
		return file.errPassphrase()
	}
	return nil
}

// privateKeys are those of an entity that are really there.
func privateKeys(entity *openpgp.Entity) []*packet.PrivateKey {
	all := []*packet.PrivateKey{entity.PrivateKey}
	for _, subkey := range entity.Subkeys {
		all = append(all, subkey.PrivateKey)
	}
	return slices.DeleteFunc(all, func(key *packet.PrivateKey) bool { return key == nil || key.Dummy() })
}

var errNoPGP = errors.New("none of the PGP keys at hand is for it")

// openPGP decrypts an armored message.
func (k *Keys) openPGP(fingerprint, message string) ([]byte, error) {
	if len(k.pgp) == 0 {
		return nil, errors.New("no PGP key is at hand")
	}
	block, err := armor.Decode(strings.NewReader(message))
	if err != nil {
		return nil, fmt.Errorf("its PGP message is broken: %w", err)
	}
	read, err := openpgp.ReadMessage(block.Body, k.pgp, nil, nil)
	if err != nil && k.hasPGP(fingerprint) {
		return nil, fmt.Errorf("this key is at hand but does not open it, perhaps because it was exported without a subkey: %w", err)
	}
	if err != nil {
		return nil, errNoPGP
	}
	return io.ReadAll(read.UnverifiedBody)
}

// hasPGP finds a key by the fingerprint that sops recorded, which may be a subkey's, or only its end.
func (k *Keys) hasPGP(fingerprint string) bool {
	wanted := strings.ToUpper(strings.TrimSuffix(fingerprint, "!"))
	return wanted != "" && slices.ContainsFunc(k.pgp, func(entity *openpgp.Entity) bool {
		found := strings.HasSuffix(fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint), wanted)
		for _, subkey := range entity.Subkeys {
			found = found || strings.HasSuffix(fmt.Sprintf("%X", subkey.PublicKey.Fingerprint), wanted)
		}
		return found
	})
}
