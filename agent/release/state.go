package release

import (
	"encoding/json"
	"fmt"
	"time"
)

// InstanceState is what an instance saves for its next run. It may be lost without harm: the agent finds its releases again by
// their labels. Without a saved record, it neither corrects nor prunes a release until it has rendered an equal record again.
type InstanceState struct {
	// Marks are the marked orphans. A later run prunes them.
	Marks []Mark `json:"marks,omitempty"`
	// Namespaces are the namespaces in which the instance owns releases, also undeclared ones.
	Namespaces []string `json:"namespaces,omitempty"`
	// Needs are the needs of each owned release. When releases are no longer declared, the needs give the order of their removal.
	Needs map[string][]Key `json:"needs,omitempty"`
	// Corrected counts, for each [Drift.Identity], the consecutive runs that corrected the drift.
	Corrected map[string]int `json:"corrected,omitempty"`
	// Records holds, for each release, the newest storage record that the instance wrote, or that equals what it would write.
	Records map[string]Record `json:"records,omitempty"`
	// Deployed holds, for each release, the newest of those records whose revision was deployed. The agent rolls back to no other.
	Deployed map[string]Record `json:"deployed,omitempty"`
}

// Record identifies the content of Helm's storage record of a revision. The agent needs it because other clients can write such
// records, too.
type Record struct {
	Revision int    `json:"revision"`
	Digest   string `json:"digest"` // SHA-256 of the manifest, the hooks and the values
}

// SetRecord saves the record of an owned release.
func (s *InstanceState) SetRecord(key Key, record Record) {
	if s.Records == nil {
		s.Records = map[string]Record{}
	}
	s.Records[key.String()] = record
}

// SetDeployed saves the record of an owned release whose revision was deployed.
func (s *InstanceState) SetDeployed(key Key, record Record) {
	if s.Deployed == nil {
		s.Deployed = map[string]Record{}
	}
	s.Deployed[key.String()] = record
}

// Mark says that an owned release is no longer declared, and since when.
type Mark struct {
	Key
	Since  time.Time `json:"since"`
	Commit string    `json:"commit"` // the first commit that does not declare the release
	Origin string    `json:"origin"` // the repository, path and environment of that run, see [Owner]
	Runs   int       `json:"runs"`   // the number of completed runs that found it undeclared, with the first one
	// Deployed is the time of the marked revision. A newer revision voids the mark.
	Deployed time.Time `json:"deployed"`
}

// stateVersion is the format of an encoded InstanceState.
const stateVersion = 1

// MaxStateBytes bounds an encoded InstanceState in bytes; etcd accepts objects of somewhat more than a megabyte.
const MaxStateBytes = 512 << 10

type versionedState struct {
	Version int `json:"version"`
	InstanceState
}

// Encode returns the state as text of at most MaxStateBytes bytes. If the state is too large, Encode drops parts of it in this
// order: corrections, needs, records, the newest marks, namespaces.
func (s InstanceState) Encode() (string, error) {
	for {
		encoded, err := json.Marshal(versionedState{stateVersion, s})
		if err != nil {
			return "", fmt.Errorf("encode state: %w", err)
		}
		if len(encoded) <= MaxStateBytes {
			return string(encoded), nil
		}
		s = s.shrink()
	}
}

func (s InstanceState) shrink() InstanceState {
	switch {
	case len(s.Corrected) > 0:
		s.Corrected = nil
	case len(s.Needs) > 0:
		s.Needs = nil
	case len(s.Records)+len(s.Deployed) > 0:
		s.Records, s.Deployed = nil, nil
	case len(s.Marks) > 0:
		s.Marks = s.Marks[:len(s.Marks)/2]
	default:
		s.Namespaces = s.Namespaces[:len(s.Namespaces)/2]
	}
	return s
}

// DecodeState reads the result of Encode. If it cannot read the text, it returns an error and an empty state. The run can continue
// with that state.
func DecodeState(text string) (InstanceState, error) {
	var decoded versionedState
	if err := json.Unmarshal([]byte(text), &decoded); err != nil {
		return InstanceState{}, fmt.Errorf("decode state: %w", err)
	}
	if decoded.Version != stateVersion {
		return InstanceState{}, fmt.Errorf("decode state: version %d is not supported: this agent supports version %d", decoded.Version, stateVersion)
	}
	return decoded.InstanceState, nil
}
