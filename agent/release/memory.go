package release

import (
	"encoding/json"
	"fmt"
	"time"
)

// Memory is what an instance remembers from one run to the next. Losing it is safe: owned releases are found again by their
// labels. Without a remembered record, a release is neither corrected nor pruned until the agent has rendered the same again.
type Memory struct {
	// Marks are the orphans seen so far, each waiting to be pruned by a later run.
	Marks []Mark `json:"marks,omitempty"`
	// Namespaces are those in which the instance owns releases, declared there or not.
	Namespaces []string `json:"namespaces,omitempty"`
	// Needs are the needs of owned releases, by release, so that those nobody declares any more go in the right order.
	Needs map[string][]Key `json:"needs,omitempty"`
	// Corrected counts, by [Drift.Identity], in how many runs in a row a drift was corrected.
	Corrected map[string]int `json:"corrected,omitempty"`
	// Records are, by release, the newest storage records that the instance wrote itself, or found to be what it would write.
	Records map[string]Record `json:"records,omitempty"`
	// Deployed are, by release, the newest of those records whose revision was deployed. Only to them may a failed upgrade be rolled back.
	Deployed map[string]Record `json:"deployed,omitempty"`
}

// Record identifies what Helm's storage record of a revision holds. Other clients can write such records, too.
type Record struct {
	Revision int    `json:"revision"`
	Digest   string `json:"digest"` // SHA-256 of the manifest, the hooks and the values
}

// Note remembers the record of an owned release.
func (m *Memory) Note(key Key, record Record) {
	if m.Records == nil {
		m.Records = map[string]Record{}
	}
	m.Records[key.String()] = record
}

// NoteDeployed remembers the record of an owned release whose revision was deployed.
func (m *Memory) NoteDeployed(key Key, record Record) {
	if m.Deployed == nil {
		m.Deployed = map[string]Record{}
	}
	m.Deployed[key.String()] = record
}

// Mark says since when an owned release has been undeclared.
type Mark struct {
	Key
	Since  time.Time `json:"since"`
	Commit string    `json:"commit"` // that first did not declare it
	Origin string    `json:"origin"` // the repository, path and environment that commit was read from, see [Owner]
	Runs   int       `json:"runs"`   // completed runs that have seen it undeclared, the first one included
	// Deployed is when the revision was made that the mark is about. A newer one is somebody's wish: the mark is void.
	Deployed time.Time `json:"deployed"`
}

// memoryVersion is the format of an encoded Memory.
const memoryVersion = 1

// MemoryLimit bounds an encoded Memory in bytes; etcd accepts objects of somewhat more than a megabyte.
const MemoryLimit = 512 << 10

type encodedMemory struct {
	Version int `json:"version"`
	Memory
}

// Encode is the memory as text of at most MemoryLimit bytes. What does not fit is forgotten, the least important first:
// corrections, needs, records, then the youngest marks, then namespaces.
func (m Memory) Encode() (string, error) {
	for {
		encoded, err := json.Marshal(encodedMemory{memoryVersion, m})
		if err != nil {
			return "", fmt.Errorf("encode memory: %w", err)
		}
		if len(encoded) <= MemoryLimit {
			return string(encoded), nil
		}
		m = m.smaller()
	}
}

func (m Memory) smaller() Memory {
	switch {
	case len(m.Corrected) > 0:
		m.Corrected = nil
	case len(m.Needs) > 0:
		m.Needs = nil
	case len(m.Records)+len(m.Deployed) > 0:
		m.Records, m.Deployed = nil, nil
	case len(m.Marks) > 0:
		m.Marks = m.Marks[:len(m.Marks)/2]
	default:
		m.Namespaces = m.Namespaces[:len(m.Namespaces)/2]
	}
	return m
}

// DecodeMemory reads what Encode wrote. Text that it does not understand is an error and an empty memory: safe to go on with.
func DecodeMemory(text string) (Memory, error) {
	var decoded encodedMemory
	if err := json.Unmarshal([]byte(text), &decoded); err != nil {
		return Memory{}, fmt.Errorf("decode memory: %w", err)
	}
	if decoded.Version != memoryVersion {
		return Memory{}, fmt.Errorf("decode memory: version %d, and this agent knows version %d only", decoded.Version, memoryVersion)
	}
	return decoded.Memory, nil
}
