package source

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// originDigits is the length of an origin. The value of a Kubernetes label has at most 63 characters.
const originDigits = 40

// Origin identifies where releases are declared: a repository, a path in it and an environment. It is a hash of 40 hexadecimal digits, for
// the value of a label. URLs that differ only by a slash or by .git at the end have the same origin.
func Origin(repo, path, environment string) string {
	repo = strings.TrimSuffix(strings.TrimRight(repo, "/"), ".git")
	sum := sha256.Sum256([]byte(strings.Join([]string{repo, path, environment}, "\x00")))
	return hex.EncodeToString(sum[:])[:originDigits]
}
