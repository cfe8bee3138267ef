package action

import (
	"sync"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Releases changes releases, one at a time. It is safe for concurrent use on different releases.
type Releases struct {
	kube       *kube.Connection
	charts     *chart.Store
	namespaces sync.Map // name to func() error: each namespace is looked for once
	records    sync.Map // release.Key to release.Record: the newest that this run made
}

// New changes releases with charts from the store.
func New(c *kube.Connection, charts *chart.Store) *Releases {
	return &Releases{kube: c, charts: charts}
}

// noteRecord keeps the record that an operation made, also when the operation failed afterwards.
func (r *Releases) noteRecord(key release.Key, l *recordingDriver) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made != nil {
		r.records.Store(key, l.record)
	}
}

// NoteRecords adds the records of this run to the memory.
func (r *Releases) NoteRecords(memory *release.Memory) {
	r.records.Range(func(key, record any) bool {
		memory.Note(key.(release.Key), record.(release.Record))
		return true
	})
}
