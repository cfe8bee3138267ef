package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// decideUndeployed chooses the verb for a release whose newest revision is not deployed.
func (p planner) decideUndeployed(s Step) (Verb, string) {
	switch {
	case p.mayBeInUse(*s.Have, s.Want.Options):
		return Refuse, p.inUseReason(*s.Have, s.Want.Options)
	case s.Have.Operation == release.Installing:
		return Install, interruption(*s.Have)
	case pending(*s.Have), s.Have.Operation != "":
		return Upgrade, interruption(*s.Have)
	default:
		return Upgrade, fmt.Sprintf("last revision %s", s.Have.Status)
	}
}

func interruption(have release.Observed) string {
	if pending(have) {
		return fmt.Sprintf("last revision has been %s since %s: it was interrupted", have.Status, timestamp(begun(have)))
	}
	return fmt.Sprintf("last revision %s, because its %s was interrupted", have.Status, have.Operation)
}

// installsAgain says that no revision of the release was ever deployed, or that the rest of it is uninstalled first.
func (s Step) installsAgain() bool {
	return s.Have.Operation == release.Installing || s.Have.Status == "uninstalling"
}

// pending says whether a Helm client is working on the newest revision, or was interrupted while it worked on it.
func pending(have release.Observed) bool {
	return slices.Contains([]string{"pending-install", "pending-upgrade", "pending-rollback", "uninstalling", "unknown"}, have.Status)
}

// mayBeInUse says whether another Helm client, or another run, may still be working on the release.
func (p planner) mayBeInUse(have release.Observed, options release.Options) bool {
	return pending(have) && !p.runHasEnded(have) && p.now.Sub(begun(have)) < p.abandonedAfter(options)
}

// runHasEnded says that a run of this agent wrote the revision, and that it is known to have ended. A diff does not read the Lease: it
// shows what the next run does if it gets the lock.
func (p planner) runHasEnded(have release.Observed) bool {
	return p.policy.Lease.Ended(have.Run) || p.policy.DiffOnly && have.Run != (release.Run{})
}

func (p planner) inUseReason(have release.Observed, options release.Options) string {
	return fmt.Sprintf("revision %d has been %s since %s: another Helm operation may be running; it counts as interrupted after %s",
		have.Revision, have.Status, timestamp(begun(have)), p.abandonedAfter(options))
}

// begun is the time at which the operation began that the newest revision records. Helm keeps the revision's own time when it begins
// to uninstall the release.
func begun(have release.Observed) time.Time {
	if have.Status == "uninstalling" && have.Uninstalling.After(have.Updated) {
		return have.Uninstalling
	}
	return have.Updated
}

const (
	helmDefaultTimeout = 5 * time.Minute // Helm's own default
	clockSkew          = time.Minute     // for clocks that differ, and for the start and the end of an operation
)

// abandonedAfter is the age after which a pending revision counts as interrupted. It leaves enough time for a run of this agent,
// and for another Helm client that uses the helmfile's timeout or Helm's default.
func (p planner) abandonedAfter(options release.Options) time.Duration {
	return max(p.policy.AbandonedAfter, max(options.Timeout, options.DeleteTimeout, helmDefaultTimeout)+clockSkew)
}
