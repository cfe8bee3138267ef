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
	// Origin identifies the repository, path and environment that the releases are declared in; Commit is the revision.
	Origin, Commit string
	// AbandonedAfter is the age from which a pending revision has no living maker any more.
	AbandonedAfter time.Duration
	// Looking says that the plan is only looked at: a diff.
	Looking bool
	// Selecting says that a selector leaves releases out.
	Selecting bool
	// PassedOver are state files that were not loaded because they do not define the environment.
	PassedOver []string
	Prune      Pruning
}

// Make decides. Every declared release and every owned release gets exactly one step.
func Make(want []release.Desired, have []release.Observed, next []release.Rendered, was release.Memory, policy Policy, now time.Time) Plan {
	m := maker{policy: policy, now: now, declared: len(want), marks: index(slices.Clone(was.Marks), func(mark *release.Mark) release.Key { return mark.Key })}
	found, rendered := index(have, observedKey), index(next, renderedKey)
	var p Plan
	declared := map[release.Key]bool{}
	for i := range want {
		declared[want[i].Key] = true
		p.Steps = append(p.Steps, m.declaredStep(&want[i], found[want[i].Key], rendered[want[i].Key]))
	}
	p.Steps = append(p.Steps, m.orphans(have, declared)...)
	slices.SortFunc(p.Steps, func(a, b Step) int { return a.Key.Compare(b.Key) })
	p.order()
	p.orderPrunes(was.Needs)
	return p
}

// maker is what every rule may look at.
type maker struct {
	policy   Policy
	now      time.Time
	declared int
	marks    map[release.Key]*release.Mark
}

func (m maker) declaredStep(want *release.Desired, have *release.Observed, next *release.Rendered) Step {
	step := Step{Key: want.Key, Want: want, Have: have, Next: next, Owner: m.owner(want), Mark: m.marks[want.Key]}
	step.Verb, step.Why = m.decide(step)
	if step.Mark != nil && step.Verb != Refuse {
		step.Why += "; declared again, no longer marked"
	}
	return step
}

func (m maker) owner(want *release.Desired) release.Owner {
	return release.Owner{
		Instance: m.policy.Instance,
		Origin:   m.policy.Origin,
		Keep:     want.Labels[release.PruneLabel] == release.KeepValue,
	}
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
func (m maker) decide(s Step) (Verb, string) {
	switch {
	case s.Want.State == release.Disabled:
		return Leave, "disabled by its condition"
	case s.Want.State == release.Unselected:
		return Leave, "not selected"
	case s.foreign():
		return Refuse, fmt.Sprintf("it belongs to instance %s, and this is %s: only one of them may declare it", s.Have.Instance, s.Owner.Instance)
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
		return m.compare(s)
	}
}

// foreign releases are owned by another instance.
func (s Step) foreign() bool {
	return installed(s.Have) && s.Have.Instance != "" && !s.Owned()
}

func installed(have *release.Observed) bool {
	return have != nil && have.Status != "uninstalled"
}

// compare is the rule for a release that is wanted and there.
func (m maker) compare(s Step) (Verb, string) {
	switch s.Have.Status {
	case "deployed":
		if reason := difference(*s.Have, *s.Next); reason != "" {
			return Upgrade, reason
		}
		return s.record()
	case "pending-install", "pending-upgrade", "pending-rollback", "uninstalling":
		return pending(*s.Have, m.policy, m.now)
	default:
		return Upgrade, fmt.Sprintf("last revision %s", s.Have.Status)
	}
}

// record is for a release that is as declared: whose it is must be recorded too.
func (s Step) record() (Verb, string) {
	switch {
	case s.Have.Owner == s.Owner:
		return Unchanged, "as declared"
	case s.Have.Instance == "":
		return Adopt, "as declared, but nobody's yet"
	case s.Have.Origin != s.Owner.Origin:
		return Adopt, "as declared, now by another repository, path or environment"
	default:
		return Adopt, "as declared; whether to keep it when it no longer is has changed"
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
