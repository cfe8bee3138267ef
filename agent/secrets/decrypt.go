package secrets

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/decrypt"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Unreadable begins every decryption error. helmfile reports a failed child process as text only, so this phrase is how
// the reason survives the way through `helm secrets decrypt`.
const Unreadable = "cannot decrypt"

// DecryptFile is the plaintext of a file encrypted by sops. The keys are found as sops finds them. Its error names the
// file and, from sops, the recipients; it carries exit.SecretsUnreadable.
func DecryptFile(path string) ([]byte, error) {
	encrypted, err := os.ReadFile(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	format := formatOf(path)
	plain, err := decrypt.DataWithFormat(encrypted, format)
	switch {
	case errors.Is(err, sops.MetadataNotFound), format == formats.Binary && !json.Valid(encrypted): // sops wraps such files in JSON
		return nil, unreadable(path, errors.New("it is not encrypted by sops: encrypt it, or name it under values instead"))
	case err != nil:
		return nil, unreadable(path, explain(err))
	}
	return plain, nil
}

func unreadable(path string, err error) error {
	return exit.With(exit.SecretsUnreadable, fmt.Errorf("%s %s: %w", Unreadable, path, err))
}

// explain prefers the long text of sops errors, which lists each recipient and why its key did not serve.
func explain(err error) error {
	var verbose sops.UserError
	if errors.As(err, &verbose) {
		return errors.New(strings.TrimSpace(verbose.UserError()))
	}
	return err
}

// formatOf is the sops format of a file by its name. helmfile appends .gotmpl to files that are templates once decrypted,
// and .enc to the inline secrets that it writes to temporary files.
func formatOf(path string) formats.Format {
	name := strings.TrimSuffix(strings.TrimSuffix(path, ".gotmpl"), ".enc")
	return formats.FormatForPath(name)
}
