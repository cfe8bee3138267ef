package cluster

import (
	"context"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/action"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/live"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/state"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Writer changes the cluster. It is safe for concurrent use on different releases.
type Writer struct {
	releases  *action.Releases
	corrector live.Corrector
	state     *state.Store
}

// NewWriter makes a writer of the cluster that is read. A Reader has no way to one itself.
func NewWriter(r *Reader) *Writer {
	return &Writer{releases: action.New(r.kube, r.history, r.charts, r.templates), corrector: live.NewCorrector(r.kube), state: state.New(r.kube)}
}

// Install makes the first revision of a release, or the first after it was uninstalled, and returns the number of the newest
// revision: 0 when none was recorded. What is observed of the release is zero unless an earlier installation was interrupted.
func (w *Writer) Install(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (int, error) {
	return w.releases.Install(ctx, want, have, owner)
}

// Upgrade makes the next revision of a release and returns the number of the newest.
func (w *Writer) Upgrade(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (int, error) {
	return w.releases.Upgrade(ctx, want, have, owner)
}

// Uninstall removes a release with its history, unless its records have changed since they were observed.
func (w *Writer) Uninstall(ctx context.Context, want release.Desired, have release.Observed) error {
	return w.releases.Uninstall(ctx, want, have)
}

// Prune uninstalls a release that is no longer declared, unless it has changed since it was observed.
func (w *Writer) Prune(ctx context.Context, have release.Observed) error {
	return w.releases.Prune(ctx, have)
}

// Adopt writes the labels of the newest record, and makes no revision.
func (w *Writer) Adopt(ctx context.Context, have release.Observed, owner release.Owner) error {
	return w.releases.Adopt(ctx, have, owner)
}

// Correct makes drifted objects what the newest revision says, and makes no revision.
func (w *Writer) Correct(ctx context.Context, have release.Observed, drifts []release.Drift) error {
	return w.corrector.Correct(ctx, have, drifts)
}

// NoteRecords adds the records that this Writer made to the state.
func (w *Writer) NoteRecords(state *release.InstanceState) { w.releases.NoteRecords(state) }

// WithLock holds the instance's lock while do runs, with a context that ends when the lock is lost. It returns an error with
// exit.Locked and does nothing when another run holds the lock, or held it since it was found.
func (w *Writer) WithLock(ctx context.Context, found Lock, do func(context.Context) error) error {
	return w.state.WithLock(ctx, found, func(ctx context.Context, run release.Run) error {
		w.releases.As(run)
		return do(ctx)
	})
}

// SaveState writes the state if it differs from what was read, and says whether it did.
func (w *Writer) SaveState(ctx context.Context, was State, state release.InstanceState) (bool, error) {
	return w.state.SaveState(ctx, was, state)
}

// DeleteState deletes the state, and the Lease when the lock is released.
func (w *Writer) DeleteState(ctx context.Context) error { return w.state.DeleteState(ctx) }

// Announce writes Events beside the releases. An Event that cannot be written is logged.
func (w *Writer) Announce(ctx context.Context, events []release.Event) { w.state.Announce(ctx, events) }
