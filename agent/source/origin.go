package source

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// originDigits makes an origin fit a Kubernetes label value, which has at most 63 characters.
const originDigits = 40

// Origin identifies where releases are declared: a repository, a path in it and an environment. It is the same for the
// spellings of one URL that git takes for the same, and fits a label.
func Origin(repo, path, environment string) string {
	repo = strings.TrimSuffix(strings.TrimRight(repo, "/"), ".git")
	sum := sha256.Sum256([]byte(strings.Join([]string{repo, path, environment}, "\x00")))
	return hex.EncodeToString(sum[:])[:originDigits]
}
