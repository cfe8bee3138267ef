package release

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Drift is one live object that differs from the newest revision of its release.
type Drift struct {
	ObjectKey
	Missing bool    // the object does not exist
	Fields  []Field // the fields that differ; none when the object is missing
	Patch   Patch   // the patch that corrects the object; empty when it is missing
	// Foreign says that the live object does not have Helm's annotations of the release. The agent reports it and never corrects it.
	Foreign bool
	// Mode is the mode in the annotation of the object; empty when there is none.
	Mode DriftMode
}

// Identity identifies a drift of an object of a release: it is equal in two runs if the same fields need the same patch.
func (d Drift) Identity(key Key) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %t %s", key, d.APIVersion, d.ObjectKey, d.Missing, d.Patch.Data))
	return hex.EncodeToString(sum[:10])
}

// DriftMode says what to do about drift.
type DriftMode string

// The modes.
const (
	CorrectDrift DriftMode = "correct"
	WarnDrift    DriftMode = "warn"
	IgnoreDrift  DriftMode = "off"
)

// DriftLabel holds a DriftMode. It is a label of a release in the helmfile and an annotation of an object. If the mode is off, it
// is also a label of Helm's record. DriftIgnore is an annotation of an object: JSON pointers to ignore, separated by commas.
const (
	DriftLabel  = "helmfile-agent.github.io/drift"
	DriftIgnore = "helmfile-agent.github.io/drift-ignore"
)

// Field is one field of a live object that differs.
type Field struct {
	Path       string // JSON pointer, RFC 6901
	Want, Live any    // nil if the field does not exist
	// Manager is the client that wrote the field last, and Since is the time, according to managedFields. Both are empty when
	// managedFields does not say.
	Manager string
	Since   time.Time
}

// Patch is a patch to send to the API server.
type Patch struct {
	Type string // the content type
	Data []byte
}

// IgnoreRule names fields of live objects whose drift the agent ignores.
type IgnoreRule struct {
	// Kind, Group, Namespace and Name select objects; an empty one matches every object.
	Kind, Group, Namespace, Name string
	Paths                        []string // JSON pointers; fields below them are ignored, too
}
