package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Policy is what the rules depend on besides the releases.
type Policy struct {
	// Instance is the agent instance that plans.
	Instance string
	// AbandonedAfter is the age from which a pending revision has no living maker any more.
	AbandonedAfter time.Duration
}

// Make decides. Every declared release and every owned release gets exactly one step.
func Make(want []release.Desired, have []release.Observed, next []release.Rendered, policy Policy, now time.Time) Plan {
	found, rendered := index(have, observedKey), index(next, renderedKey)
	var p Plan
	declared := map[release.Key]bool{}
	for i := range want {
		declared[want[i].Key] = true
		step := Step{Key: want[i].Key, Want: &want[i], Have: found[want[i].Key], Next: rendered[want[i].Key]}
		step.Verb, step.Why = decide(step, policy, now)
		p.Steps = append(p.Steps, step)
	}
	p.Steps = append(p.Steps, orphans(have, declared, policy)...)
	slices.SortFunc(p.Steps, func(a, b Step) int { return a.Key.Compare(b.Key) })
	p.order()
	return p
}

func observedKey(o *release.Observed) release.Key { return o.Key }
func renderedKey(r *release.Rendered) release.Key { return r.Key }

func index[T any](items []T, key func(*T) release.Key) map[release.Key]*T {
	byKey := make(map[release.Key]*T, len(items))
	for i := range items {
		byKey[key(&items[i])] = &items[i]
	}
	return byKey
}

// decide is the rule for one declared release.
func decide(s Step, policy Policy, now time.Time) (Verb, string) {
	switch {
	case s.Want.State == release.Disabled:
		return Leave, "disabled by its condition"
	case s.Want.State == release.Unselected:
		return Leave, "not selected"
	case s.Want.State == release.Absent && !installed(s.Have):
		return Unchanged, "installed: false"
	case s.Want.State == release.Absent:
		return Uninstall, "installed: false"
	case s.Want.Broken != nil:
		return Refuse, s.Want.Broken.Error()
	case s.Next == nil:
		return Refuse, "it was not rendered"
	case s.Next.Err != nil:
		return Refuse, s.Next.Err.Error()
	case !installed(s.Have):
		return Install, "not installed yet"
	default:
		return compare(*s.Have, *s.Next, policy, now)
	}
}

func installed(have *release.Observed) bool {
	return have != nil && have.Status != "uninstalled"
}

// compare is the rule for a release that is wanted and there.
func compare(have release.Observed, next release.Rendered, policy Policy, now time.Time) (Verb, string) {
	switch have.Status {
	case "deployed":
		if reason := difference(have, next); reason != "" {
			return Upgrade, reason
		}
		return Unchanged, "as declared"
	case "pending-install", "pending-upgrade", "pending-rollback", "uninstalling":
		return pending(have, policy, now)
	default:
		return Upgrade, fmt.Sprintf("last revision %s", have.Status)
	}
}

// pending tells a revision in the making from one whose maker died.
func pending(have release.Observed, policy Policy, now time.Time) (Verb, string) {
	since := have.Updated.UTC().Format(time.RFC3339)
	if now.Sub(have.Updated) < policy.AbandonedAfter {
		return Refuse, fmt.Sprintf("revision %d is %s since %s: another Helm operation may be under way; it counts as interrupted after %s",
			have.Revision, have.Status, since, policy.AbandonedAfter)
	}
	return Upgrade, fmt.Sprintf("last revision %s since %s, interrupted", have.Status, since)
}

// orphans are releases that this instance owns and nobody declares any more.
func orphans(have []release.Observed, declared map[release.Key]bool, policy Policy) []Step {
	var steps []Step
	for i := range have {
		found := &have[i]
		if found.Instance == policy.Instance && !declared[found.Key] && installed(found) {
			steps = append(steps, Step{Key: found.Key, Verb: Orphan, Why: "no longer declared", Have: found})
		}
	}
	return steps
}
