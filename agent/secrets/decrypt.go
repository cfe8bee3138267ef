package secrets

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/cmd/sops/common"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/keyservice"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Unreadable begins every decryption error. helmfile reports a failed child process as text only, so this phrase is how
// the reason survives the way through `helm secrets decrypt`.
const Unreadable = "cannot decrypt"

// DecryptFile is the plaintext of a file encrypted by sops. Its error names the file, for whom it is encrypted and which
// keys are at hand; it carries exit.SecretsUnreadable.
func (k *Keys) DecryptFile(path string) ([]byte, error) {
	encrypted, err := os.ReadFile(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	return k.decrypt(path, encrypted, formatOf(path))
}

// DecryptNamed is DecryptFile for content that is at hand already; the name says the format.
func (k *Keys) DecryptNamed(name string, encrypted []byte) ([]byte, error) {
	return k.decrypt(name, encrypted, formatOf(name))
}

// Decrypt is DecryptFile for content that is at hand already: name is for messages, format is sops's word for it.
func (k *Keys) Decrypt(name string, encrypted []byte, format string) ([]byte, error) {
	return k.decrypt(name, encrypted, formats.FormatForPathOrString(name, format))
}

func (k *Keys) decrypt(name string, encrypted []byte, format formats.Format) ([]byte, error) {
	plain, err := k.plaintext(encrypted, format)
	switch {
	case errors.Is(err, sops.MetadataNotFound), format == formats.Binary && !json.Valid(encrypted): // sops wraps such files in JSON
		return nil, unreadable(name, errors.New("it is not encrypted by sops: encrypt it, or name it under values instead"))
	case err != nil:
		return nil, unreadable(name, err)
	}
	return plain, nil
}

// plaintext does what sops's decrypt.DataWithFormat does, which cannot be given keys.
func (k *Keys) plaintext(encrypted []byte, format formats.Format) ([]byte, error) {
	store := common.StoreForFormat(format, config.NewStoresConfig())
	tree, err := store.LoadEncryptedFile(encrypted)
	if err != nil {
		return nil, err
	}
	asked := service{LocalClient: keyservice.NewLocalClient(), keys: k, became: map[string]error{}}
	key, err := tree.Metadata.GetDataKeyWithKeyServices([]keyservice.KeyServiceClient{asked}, nil)
	if err != nil {
		return nil, k.locked(tree.Metadata, asked.became)
	}
	cipher := aes.NewCipher()
	computed, err := tree.Decrypt(key, cipher)
	if err != nil {
		return nil, err
	}
	recorded, err := cipher.Decrypt(tree.Metadata.MessageAuthenticationCode, key, tree.Metadata.LastModified.Format(time.RFC3339))
	if err != nil {
		return nil, fmt.Errorf("decrypt the checksum: %w", err)
	}
	if recorded != computed {
		return nil, errors.New("its checksum is wrong: it was edited without sops")
	}
	return store.EmitPlainFile(tree.Branches)
}

func unreadable(path string, err error) error {
	return exit.With(exit.SecretsUnreadable, fmt.Errorf("%s %s: %w", Unreadable, path, err))
}

// formatOf is the sops format of a file by its name. helmfile appends .gotmpl to files that are templates once decrypted,
// and .enc to the inline secrets that it writes to temporary files.
func formatOf(path string) formats.Format {
	name := strings.TrimSuffix(strings.TrimSuffix(path, ".gotmpl"), ".enc")
	return formats.FormatForPath(name)
}
