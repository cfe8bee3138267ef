package secrets

import (
	"encoding/json"
	"errors"
	"fmt"
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

// DecryptErrorPrefix begins every decryption error. helmfile reports the failure of a child process only as text. So the agent recognizes
// the error of `helm secrets decrypt` by this prefix.
const DecryptErrorPrefix = "cannot decrypt"

// Decrypt returns the plaintext of a file that sops encrypted. The format is one of sops's: yaml, json, dotenv, ini or binary. The name is
// the path of the file, for errors. An error has the code exit.SecretsUnreadable, and lists the recipients of the file and the available keys.
func (k *Keys) Decrypt(name string, encrypted []byte, format string) ([]byte, error) {
	return k.decrypt(name, encrypted, formats.FormatForPathOrString(name, format))
}

// DecryptNamed is Decrypt with the format that the name of the file implies, as sops and helmfile name files.
func (k *Keys) DecryptNamed(name string, encrypted []byte) ([]byte, error) {
	return k.decrypt(name, encrypted, formatByName(name))
}

func (k *Keys) decrypt(name string, encrypted []byte, format formats.Format) ([]byte, error) {
	plain, err := k.plaintext(encrypted, format)
	switch {
	case errors.Is(err, sops.MetadataNotFound), format == formats.Binary && !json.Valid(encrypted): // sops wraps binary files in JSON
		return nil, decryptError(name, errors.New("it is not encrypted by sops: encrypt it, or move it from secrets to values"))
	case err != nil:
		return nil, decryptError(name, err)
	}
	return plain, nil
}

// plaintext does the same as sops's decrypt.DataWithFormat, which does not accept keys.
func (k *Keys) plaintext(encrypted []byte, format formats.Format) ([]byte, error) {
	store := common.StoreForFormat(format, config.NewStoresConfig())
	tree, err := store.LoadEncryptedFile(encrypted)
	if err != nil {
		return nil, err
	}
	service := keyService{LocalClient: keyservice.NewLocalClient(), keys: k, results: map[string]error{}}
	key, err := tree.Metadata.GetDataKeyWithKeyServices([]keyservice.KeyServiceClient{service}, nil)
	if err != nil {
		return nil, k.noKeyError(tree.Metadata, service.results)
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
		return nil, errors.New("its checksum is wrong: the file was edited without sops")
	}
	return store.EmitPlainFile(tree.Branches)
}

func decryptError(name string, err error) error {
	return exit.With(exit.SecretsUnreadable, fmt.Errorf("%s %s: %w", DecryptErrorPrefix, name, err))
}

// formatByName returns the sops format that the name of a file implies. It ignores the endings that helmfile gives to files: .gotmpl, if
// the decrypted file is a template, and .enc, if helmfile wrote an inline secret to a temporary file.
func formatByName(name string) formats.Format {
	return formats.FormatForPath(strings.TrimSuffix(strings.TrimSuffix(name, ".gotmpl"), ".enc"))
}
