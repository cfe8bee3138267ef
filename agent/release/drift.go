package release

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Drift is one live object that is not as the last revision of its release says.
type Drift struct {
	ObjectKey
	Missing bool    // there is no such object any more
	Fields  []Field // what differs; none when the object is missing
	Patch   Patch   // what would correct it; empty when the object is missing
	// Foreign says that the live object does not bear Helm's annotations of the release. It is reported and never corrected.
	Foreign bool
	// Mode is what the object's own annotation says about its drift; empty when it says nothing.
	Mode DriftMode
}

// Identity is the same for the same drift of the same object of a release.
func (d Drift) Identity(of Key) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %t %s", of, d.APIVersion, d.ObjectKey, d.Missing, d.Patch.Data))
	return hex.EncodeToString(sum[:10])
}

// DriftMode says what becomes of drift.
type DriftMode string

const (
	CorrectDrift DriftMode = "correct"
	WarnOfDrift  DriftMode = "warn"
	IgnoreDrift  DriftMode = "off"
)

// DriftLabel is a DriftMode as a label of a release in the helmfile, as an annotation of an object and, if it is off, as a label of
// Helm's record. DriftIgnore is an annotation of an object: JSON pointers to ignore, separated by commas.
const (
	DriftLabel  = "helmfile-agent.github.io/drift"
	DriftIgnore = "helmfile-agent.github.io/drift-ignore"
)

// Field is one place in a live object that differs.
type Field struct {
	Path       string // JSON pointer, RFC 6901
	Want, Live any    // nil for what is not there
	// Manager wrote the field last, at the time Since, as the API server recorded it; empty when it recorded nothing.
	Manager string
	Since   time.Time
}

// Patch is what the API server is asked to apply.
type Patch struct {
	Type string // the content type
	Data []byte
}

// IgnoreRule names fields of live objects in which somebody else may do as they like.
type IgnoreRule struct {
	// Kind, Group, Namespace and Name select objects; empty ones select all.
	Kind, Group, Namespace, Name string
	Paths                        []string // JSON pointers; what lies below is ignored too
}
