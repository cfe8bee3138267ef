package secrets

import (
	"fmt"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/keys"
	"golang.org/x/crypto/ssh"
)

// noKeyError says why no key opens a file. It lists the recipients of the file, the result for each of them, and the available keys. It
// contains only public parts of keys. The results are those of a keyService.
func (k *Keys) noKeyError(metadata sops.Metadata, results map[string]error) error {
	lines := []string{summary(metadata, results)}
	for number, group := range metadata.KeyGroups {
		for _, recipient := range group {
			line := "encrypted for " + describeRecipient(recipient) + ": " + describeResult(results, recipient)
			if len(metadata.KeyGroups) > 1 {
				line = fmt.Sprintf("group %d, %s", number+1, line)
			}
			lines = append(lines, line)
		}
	}
	lines = append(lines, "available keys: "+k.describeAvailable())
	if len(k.ignoredFiles) > 0 {
		lines = append(lines, "ignored files, because their names are not those of keys: "+strings.Join(k.ignoredFiles, ", "))
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n  "))
}

func summary(metadata sops.Metadata, results map[string]error) string {
	if len(metadata.KeyGroups) < 2 {
		return "no available key opens it"
	}
	opened := 0
	for _, group := range metadata.KeyGroups {
		for _, recipient := range group {
			if err, tried := results[string(recipient.EncryptedDataKey())]; tried && err == nil {
				opened++
				break
			}
		}
	}
	return fmt.Sprintf("the available keys open %d of its %d key groups, but %d are needed", opened, len(metadata.KeyGroups), metadata.ShamirThreshold)
}

// recipientKinds are the names of the kinds of recipients. Recipients of age have recognizable names of their own.
var recipientKinds = map[string]string{"pgp": "PGP ", "kms": "AWS KMS ", "gcp_kms": "GCP KMS ", "azure_kv": "Azure Key Vault ", "hc_vault": "Vault "}

func describeRecipient(recipient keys.MasterKey) string {
	if public, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(recipient.ToString())); err == nil {
		return strings.TrimSpace(sshFingerprint(public) + " " + comment)
	}
	return recipientKinds[recipient.TypeToIdentifier()] + recipient.ToString()
}

// maxResultLength is how many characters of an error are shown. Some clouds answer with whole pages.
const maxResultLength = 500

func describeResult(results map[string]error, recipient keys.MasterKey) string {
	err, tried := results[string(recipient.EncryptedDataKey())]
	switch {
	case !tried:
		return "not needed"
	case err == nil:
		return "opened"
	}
	text := []rune(strings.Join(strings.Fields(err.Error()), " "))
	if len(text) > maxResultLength {
		return string(text[:maxResultLength]) + "…"
	}
	return string(text)
}

func (k *Keys) describeAvailable() string {
	if len(k.available) == 0 {
		return "none; mount a key, and set --sops-keys to its directory"
	}
	return strings.Join(k.available, ", ")
}
