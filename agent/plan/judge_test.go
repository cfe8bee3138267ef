package plan_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// sighting is a completed run that found a release undeclared, while nothing spoke against marking it. All sightings of a
// release are over when a completed run declares it, when somebody makes a new revision of it, and when the memory is lost.
type sighting struct {
	at     time.Time
	origin string
}

// judge does to the model of the cluster what the plan says, and looks on with knowledge of its own.
type judge struct {
	*history
	*agent
	*look
	circumstance

	mu     sync.Mutex
	erred  bool          // something failed in this run
	pruned []release.Key // in order
}

// prunable says why a release may not be pruned now, independently of the code; empty when it may.
func (j *judge) prunable(key release.Key) string {
	found := j.cluster[key]
	switch {
	case !found.ownedBy(j.name):
		return "it is not owned"
	case j.helmfile[key] != nil:
		return "it is declared"
	case !j.seenBefore(key):
		return "no earlier run has seen it undeclared for long enough"
	case j.objection(found) != "":
		return j.objection(found)
	case j.prunes*100 > j.all*j.prune.MaxShare && !j.allowed():
		return "too many at once"
	case j.erred || j.refusals > 0:
		return "something failed in this run"
	default:
		return ""
	}
}

func (j *judge) seenBefore(key release.Key) bool {
	for _, s := range j.sightings[key] {
		if !s.at.Add(j.prune.Grace).After(j.started) && (s.origin == j.origin || j.allowed()) {
			return true
		}
	}
	return false
}

// objection is what a person would say against marking or pruning an orphan, the share of all and its past apart.
func (j *judge) objection(found *found) string {
	switch {
	case j.prune.Mode != plan.TwoStep:
		return "pruning is not wanted"
	case j.selector:
		return "a selector is in use"
	case j.passedOver:
		return "not everything was loaded"
	case found.Keep || found.KeptByHand:
		return "it is to be kept"
	case len(j.want) == 0 && !j.allowed():
		return "nothing is declared"
	case found.Origin != j.origin && !j.allowed():
		return "it comes from elsewhere"
	default:
		return ""
	}
}

func (j *judge) allowed() bool { return j.prune.Allow != "" && j.prune.Allow == j.revision }

// touch is called before everything that writes.
func (j *judge) touch(key release.Key, verb plan.Verb) error {
	found := j.cluster[key]
	if found.installed() && found.Instance != "" && found.Instance != j.name {
		j.fail("%s: %s %s, which is %s's", j.name, verb, key, found.Instance)
	}
	if verb != plan.Prune && len(j.pruned) > 0 {
		j.fail("%s: %s %s after pruning %v", j.name, verb, key, j.pruned)
	}
	if j.unreached[key] {
		return context.Canceled
	}
	if j.failing[key] {
		j.erred = j.erred || verb != plan.Prune
		return errors.New("boom")
	}
	return nil
}

func (j *judge) Install(_ context.Context, want release.Desired, owner release.Owner) (int, error) {
	return j.deploy(want, owner, plan.Install)
}

func (j *judge) Upgrade(_ context.Context, want release.Desired, _ release.Observed, owner release.Owner) (int, error) {
	return j.deploy(want, owner, plan.Upgrade)
}

// deploy makes a revision, which may fail and be recorded nevertheless.
func (j *judge) deploy(want release.Desired, owner release.Owner, verb plan.Verb) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.touch(want.Key, verb)
	switch {
	case err == nil:
		return j.revise(want.Key, "deployed", owner, j.helmfile[want.Key].version), nil
	case j.failing[want.Key] && j.lastingly:
		return j.revise(want.Key, "failed", owner, j.helmfile[want.Key].version), err
	default:
		return 0, err
	}
}

func (j *judge) Correct(_ context.Context, have release.Observed, _ []release.Drift) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.touch(have.Key, plan.Correct)
}

func (j *judge) Adopt(_ context.Context, have release.Observed, owner release.Owner) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.touch(have.Key, plan.Adopt); err != nil {
		return err
	}
	j.cluster[have.Key].Owner = owner
	return nil
}

func (j *judge) Uninstall(_ context.Context, want release.Desired, _ release.Observed) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e := j.helmfile[want.Key]; e == nil || e.state != release.Absent {
		j.fail("%s: uninstalled %s, which is declared as %+v", j.name, want.Key, e)
	}
	return j.remove(want.Key, plan.Uninstall)
}

func (j *judge) Prune(_ context.Context, have release.Observed) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if why := j.prunable(have.Key); why != "" {
		j.fail("%s: pruned %s, but %s", j.name, have.Key, why)
	}
	if j.allowed() && (len(j.want) == 0 || have.Origin != j.origin || j.prunes*100 > j.all*j.prune.MaxShare) {
		j.happened["pruned by --prune-allow"]++
	}
	j.pruned = append(j.pruned, have.Key)
	return j.remove(have.Key, plan.Prune)
}

func (j *judge) remove(key release.Key, verb plan.Verb) error {
	err := j.touch(key, verb)
	switch {
	case err == nil:
		delete(j.cluster, key)
	case j.failing[key] && j.lastingly:
		j.cluster[key].Status = "uninstalling"
	}
	return err
}

// completed updates what the test knows once a run has ended and is remembered.
func (j *judge) completed() {
	for _, want := range j.want {
		delete(j.sightings, want.Key)
	}
	for key := range j.sightings {
		if !j.cluster[key].ownedBy(j.name) && !j.unread[key.Namespace] {
			delete(j.sightings, key)
		}
	}
	for _, key := range j.undeclared {
		if found := j.cluster[key]; found.installed() && j.objection(found) == "" {
			j.sightings[key] = append(j.sightings[key], sighting{j.started, j.origin})
		}
	}
	known := map[string]bool{}
	for key, found := range j.cluster {
		if found.ownedBy(j.name) && (j.read[key.Namespace] || j.known[key.Namespace]) {
			known[key.Namespace] = true
		}
	}
	j.known = known
}
