package secrets

import (
	"fmt"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/keys"
	"golang.org/x/crypto/ssh"
)

// locked is why a file's data key cannot be had: for whom the file is encrypted, why the key of none of them serves, and
// what is at hand. All of it is public.
func (k *Keys) locked(metadata sops.Metadata, became map[string]error) error {
	lines := []string{reason(metadata, became)}
	for number, group := range metadata.KeyGroups {
		for _, recipient := range group {
			line := "encrypted for " + describe(recipient) + ": " + outcome(became, recipient)
			if len(metadata.KeyGroups) > 1 {
				line = fmt.Sprintf("group %d, %s", number+1, line)
			}
			lines = append(lines, line)
		}
	}
	lines = append(lines, "at hand: "+k.described())
	if len(k.ignored) > 0 {
		lines = append(lines, "ignored, because no key has such a name: "+strings.Join(k.ignored, ", "))
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n  "))
}

func reason(metadata sops.Metadata, became map[string]error) string {
	if len(metadata.KeyGroups) < 2 {
		return "no key at hand opens it"
	}
	opened := 0
	for _, group := range metadata.KeyGroups {
		for _, recipient := range group {
			if err, tried := became[string(recipient.EncryptedDataKey())]; tried && err == nil {
				opened++
				break
			}
		}
	}
	return fmt.Sprintf("the keys at hand open %d of its %d key groups, and %d are needed", opened, len(metadata.KeyGroups), metadata.ShamirThreshold)
}

// kindOf is how people call the kinds of recipients; age's need no name.
var kindOf = map[string]string{"pgp": "PGP ", "kms": "AWS KMS ", "gcp_kms": "GCP KMS ", "azure_kv": "Azure Key Vault ", "hc_vault": "Vault "}

func describe(recipient keys.MasterKey) string {
	if public, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(recipient.ToString())); err == nil {
		return strings.TrimSpace(sshName(public) + " " + comment)
	}
	return kindOf[recipient.TypeToIdentifier()] + recipient.ToString()
}

// longest is how much of a cloud's answer is shown: some are pages.
const longest = 500

func outcome(became map[string]error, recipient keys.MasterKey) string {
	err, tried := became[string(recipient.EncryptedDataKey())]
	switch {
	case !tried:
		return "not needed"
	case err == nil:
		return "opened"
	}
	text := []rune(strings.Join(strings.Fields(err.Error()), " "))
	if len(text) > longest {
		return string(text[:longest]) + "…"
	}
	return string(text)
}

func (k *Keys) described() string {
	if len(k.atHand) == 0 {
		return "no key; mount one, and say where with --sops-keys"
	}
	return strings.Join(k.atHand, ", ")
}
