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
	case !pending(*s.Have):
		return Upgrade, fmt.Sprintf("last revision %s", s.Have.Status)
	case p.mayBeInUse(*s.Have, s.Want.Options):
		return Refuse, p.inUseReason(*s.Have, s.Want.Options)
	default:
		return Upgrade, fmt.Sprintf("last revision has been %s since %s: it was interrupted", s.Have.Status, timestamp(begun(*s.Have)))
	}
}

// pending says whether a Helm client is working on the newest revision, or was interrupted while it worked on it.
func pending(have release.Observed) bool {
	return slices.Contains([]string{"pending-install", "pending-upgrade", "pending-rollback", "uninstalling", "unknown"}, have.Status)
}

// mayBeInUse says whether another Helm client may still be working on the release.
func (p planner) mayBeInUse(have release.Observed, options release.Options) bool {
	return pending(have) && p.now.Sub(begun(have)) < p.abandonedAfter(options)
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
