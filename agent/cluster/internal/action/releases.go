package action

import (
	"sync"

	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/templates"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Releases changes releases, one at a time. It is safe for concurrent use on different releases.
type Releases struct {
	kube       *kube.Connection
	history    *history.History
	charts     *chart.Store
	templates  templates.Renderer
	namespaces sync.Map // name to func() error: each namespace is looked for once
	records    sync.Map // release.Key to noted: the newest record that this run made
	run        release.Run
}

// New changes releases with charts from the store.
func New(c *kube.Connection, h *history.History, charts *chart.Store, t templates.Renderer) *Releases {
	return &Releases{kube: c, history: h, charts: charts, templates: t}
}

// As says which run changes the releases. It comes before the first change.
func (r *Releases) As(run release.Run) { r.run = run }

// noted is a record that an operation made.
type noted struct {
	release.Record
	deployed bool
}

// noteRecord keeps the record that an operation made, also when the operation failed afterwards.
func (r *Releases) noteRecord(key release.Key, l *recordingDriver) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made != nil {
		r.records.Store(key, noted{l.record, l.status == helm.StatusDeployed})
	}
}

// NoteRecords adds the records of this run to the state.
func (r *Releases) NoteRecords(state *release.InstanceState) {
	r.records.Range(func(key, record any) bool {
		state.SetRecord(key.(release.Key), record.(noted).Record)
		if record.(noted).deployed {
			state.SetDeployed(key.(release.Key), record.(noted).Record)
		}
		return true
	})
}
