package plan_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// sighting is a completed run that found a release undeclared while no guard applied. All sightings of a release are void after a
// completed run that declares it, after a new revision, and after the loss of the saved state.
type sighting struct {
	at     time.Time
	origin string
}

// checkedWriter applies the plan to the model of the cluster. It checks each operation by rules of its own.
type checkedWriter struct {
	*simulation
	*agent
	*runInput
	conditions

	mu     sync.Mutex
	failed bool          // something failed in this run
	pruned []release.Key // in order
}

// whyNotPrunable says why a release may not be pruned now; empty when it may. It does not use the code under test.
func (w *checkedWriter) whyNotPrunable(key release.Key) string {
	found := w.cluster[key]
	switch {
	case !found.ownedBy(w.name):
		return "it is not owned"
	case w.helmfile[key] != nil:
		return "it is declared"
	case !w.markedBefore(key):
		return "no earlier run has seen it undeclared for long minimumCount"
	case w.reasonToKeep(found) != "":
		return w.reasonToKeep(found)
	case w.prunes*100 > w.all*w.prune.MaxShare && !w.allowed():
		return "too many at once"
	case w.mayBeInUse(found):
		return "another Helm client may be uninstalling it"
	case w.failed || w.refusals > 0:
		return "something failed in this run"
	default:
		return ""
	}
}

// mayBeInUse says whether a client may still be uninstalling the release. After the clock went back, an old revision looks young.
func (sim *simulation) mayBeInUse(found *found) bool {
	return found.Status == "uninstalling" && sim.now.Sub(found.Updated) < minutes(10)
}

func (w *checkedWriter) markedBefore(key release.Key) bool {
	for _, s := range w.sightings[key] {
		if !s.at.Add(w.prune.Grace).After(w.started) && (s.origin == w.origin || w.allowed()) {
			return true
		}
	}
	return false
}

// reasonToKeep says why a person would not mark or prune the orphan. It leaves out the share of all releases and the mark.
func (w *checkedWriter) reasonToKeep(found *found) string {
	switch {
	case w.prune.Mode != plan.TwoStep:
		return "pruning is not configured"
	case w.selector:
		return "a selector is in use"
	case w.skipsFile:
		return "a state file was skipped"
	case found.Keep || found.KeptByHand:
		return "a label or an annotation says to keep it"
	case len(w.want) == 0 && !w.allowed():
		return "the helmfile declares no releases"
	case found.Origin != w.origin && !w.allowed():
		return "it was installed from another origin"
	default:
		return ""
	}
}

func (w *checkedWriter) allowed() bool { return w.prune.Allow != "" && w.prune.Allow == w.revision }

// beforeWrite is called before every write.
func (w *checkedWriter) beforeWrite(key release.Key, verb plan.Verb) error {
	found := w.cluster[key]
	if found.installed() && found.Instance != "" && found.Instance != w.name {
		w.fail("%s: %s %s, which instance %s owns", w.name, verb, key, found.Instance)
	}
	if verb != plan.Prune && len(w.pruned) > 0 {
		w.fail("%s: %s %s after pruning %v", w.name, verb, key, w.pruned)
	}
	if w.notReached[key] {
		return context.Canceled
	}
	if w.failing[key] {
		w.failed = w.failed || verb != plan.Prune
		return errors.New("boom")
	}
	return nil
}

func (w *checkedWriter) Install(_ context.Context, want release.Desired, _ release.Observed, owner release.Owner) (int, error) {
	return w.deploy(want, owner, plan.Install)
}

func (w *checkedWriter) Upgrade(_ context.Context, want release.Desired, _ release.Observed, owner release.Owner) (int, error) {
	return w.deploy(want, owner, plan.Upgrade)
}

// deploy makes a revision. A failed revision may be recorded, too.
func (w *checkedWriter) deploy(want release.Desired, owner release.Owner, verb plan.Verb) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.beforeWrite(want.Key, verb)
	switch {
	case err == nil:
		return w.addRevision(want.Key, "deployed", owner, w.helmfile[want.Key].version), nil
	case w.failing[want.Key] && w.leavesTrace:
		return w.addRevision(want.Key, "failed", owner, w.helmfile[want.Key].version), err
	default:
		return 0, err
	}
}

func (w *checkedWriter) Correct(_ context.Context, have release.Observed, _ []release.Drift) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.beforeWrite(have.Key, plan.Correct)
}

func (w *checkedWriter) Adopt(_ context.Context, have release.Observed, owner release.Owner) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.beforeWrite(have.Key, plan.Adopt); err != nil {
		return err
	}
	w.cluster[have.Key].Owner = owner
	return nil
}

func (w *checkedWriter) Uninstall(_ context.Context, want release.Desired, _ release.Observed) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e := w.helmfile[want.Key]; e == nil || e.state != release.Absent {
		w.fail("%s: uninstalled %s, which is declared as %+v", w.name, want.Key, e)
	}
	return w.remove(want.Key, plan.Uninstall)
}

func (w *checkedWriter) Prune(_ context.Context, have release.Observed) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if why := w.whyNotPrunable(have.Key); why != "" {
		w.fail("%s: pruned %s, but %s", w.name, have.Key, why)
	}
	if w.allowed() && (len(w.want) == 0 || have.Origin != w.origin || w.prunes*100 > w.all*w.prune.MaxShare) {
		w.counts["pruned by --prune-allow"]++
	}
	w.pruned = append(w.pruned, have.Key)
	return w.remove(have.Key, plan.Prune)
}

func (w *checkedWriter) remove(key release.Key, verb plan.Verb) error {
	err := w.beforeWrite(key, verb)
	switch {
	case err == nil:
		delete(w.cluster, key)
	case w.failing[key] && w.leavesTrace:
		w.cluster[key].Status = "uninstalling"
	}
	return err
}

// completed updates the knowledge of the test after a run has ended and saved its state.
func (w *checkedWriter) completed() {
	for _, want := range w.want {
		delete(w.sightings, want.Key)
	}
	for key := range w.sightings {
		if !w.cluster[key].ownedBy(w.name) && !w.unread[key.Namespace] {
			delete(w.sightings, key)
		}
	}
	for _, key := range w.undeclared {
		if found := w.cluster[key]; found.installed() && w.reasonToKeep(found) == "" {
			w.sightings[key] = append(w.sightings[key], sighting{w.started, w.origin})
		}
	}
	known := map[string]bool{}
	for key, found := range w.cluster {
		if found.ownedBy(w.name) && (w.read[key.Namespace] || w.known[key.Namespace]) {
			known[key.Namespace] = true
		}
	}
	w.known = known
}
