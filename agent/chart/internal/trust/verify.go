package trust

import (
	"fmt"
	"os"
	"path/filepath"

	"helm.sh/helm/v3/pkg/downloader"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Verify checks an archive against its provenance file. It writes that file beside the archive, because Helm reads it there.
func (r *Reader) Verify(file string, provenance []byte, keyring string) error {
	if err := os.WriteFile(file+".prov", provenance, 0o600); err != nil {
		return err
	}
	return r.verifyFile(file, keyring)
}

// verifyFile has Helm read a copy of the keyring, because another process may replace the keyring after it was read here.
func (r *Reader) verifyFile(file, keyring string) error {
	content, err := r.read(keyring, defaultKeyring())
	if err != nil {
		return fmt.Errorf("with keyring %s: %w", keyring, err)
	}
	dir, err := os.MkdirTemp(r.dir, "keyring-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	checked := filepath.Join(dir, "pubring.gpg")
	if err := os.WriteFile(checked, content, 0o600); err != nil {
		return err
	}
	if _, err := downloader.VerifyChart(file, checked); err != nil {
		return fmt.Errorf("with keyring %s: %w", keyring, err)
	}
	return nil
}

// Keyring is the file with the keys that verify a chart. It is empty if the chart is not verified.
func Keyring(c release.Chart) string {
	switch {
	case !c.Verify:
		return ""
	case c.Keyring != "":
		return c.Keyring
	}
	return defaultKeyring()
}

// defaultKeyring is the keyring that Helm uses when the helmfile names none. It belongs to the operator of the agent.
func defaultKeyring() string {
	if home, set := os.LookupEnv("GNUPGHOME"); set {
		return filepath.Join(home, "pubring.gpg")
	}
	home, _ := os.UserHomeDir() // without a home directory the next error has the relative path
	return filepath.Join(home, ".gnupg", "pubring.gpg")
}
