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
	// Origin identifies the repository, path and environment that the releases are declared in; it is empty when that is
	// not known, as in a diff of a local checkout. Commit is the revision.
	Origin, Commit string
	// AbandonedAfter is the age from which a revision in the making has no living maker any more among this agent's runs.
	AbandonedAfter time.Duration
	// Looking says that the plan is only looked at: a diff.
	Looking bool
	// Selecting says that a selector leaves releases out.
	Selecting bool
	// PassedOver are state files that were not loaded because they do not define the environment.
	PassedOver []string
	Prune      Pruning
	Drift      release.DriftMode
}

// Make decides. Every declared release and every owned release gets exactly one step.
func Make(want []release.Desired, have []release.Observed, next []release.Rendered, was release.Memory, policy Policy, now time.Time) Plan {
	m := maker{policy: policy, now: now, declared: len(want), corrected: was.Corrected, marks: index(slices.Clone(was.Marks), func(mark *release.Mark) release.Key { return mark.Key })}
	found, rendered := index(have, observedKey), index(next, renderedKey)
	var p Plan
	declared := map[release.Key]bool{}
	for i := range want {
		declared[want[i].Key] = true
		p.Steps = append(p.Steps, m.declaredStep(Step{
			Key: want[i].Key, Want: &want[i], Have: found[want[i].Key], Next: rendered[want[i].Key],
		}))
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
	// corrected counts in how many runs in a row each drift was corrected so far.
	corrected map[string]int
}

func (m maker) declaredStep(step Step) Step {
	step.Owner, step.Mark = m.owner(step), m.marks[step.Key]
	step.ToCorrect = m.toCorrect(step)
	step.Verb, step.Why = m.decide(step)
	if step.Verb == Uninstall && !step.Proven() {
		step.Want = withoutHooks(*step.Want)
	}
	if step.Mark != nil && step.Verb != Refuse {
		step.Why += "; declared again, no longer marked"
	}
	return step
}

// withoutHooks keeps Helm from running hooks that anyone could have written into the record.
func withoutHooks(want release.Desired) *release.Desired {
	want.Options.DisableHooks = true
	return &want
}

func (m maker) owner(s Step) release.Owner {
	owner := release.Owner{
		Instance: m.policy.Instance,
		Origin:   m.policy.Origin,
		Keep:     s.Want.Labels[release.PruneLabel] == release.KeepValue,
		DriftOff: release.DriftMode(s.Want.Labels[release.DriftLabel]) == release.IgnoreDrift,
	}
	if m.policy.Origin == "" && s.Have != nil {
		owner.Origin = s.Have.Origin
	}
	if s.Next != nil {
		owner.Fingerprint = s.Next.Fingerprint
	}
	return owner
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
	case s.Want.State == release.Absent && !s.Proven():
		return Uninstall, "installed: false; no hooks run: " + unproven
	case s.Want.State == release.Absent:
		return Uninstall, "installed: false"
	case s.Want.Broken != nil:
		return Refuse, s.Want.Broken.Error()
	case s.Next == nil:
		return Refuse, "it was not rendered"
	case s.Next.Err != nil:
		return Refuse, s.Next.Err.Error()
	case !s.mayReuseValues():
		return Refuse, "it reuses the values of the last revision, but " + unproven + ": deploy it once without reuseValues and resetThenReuseValues"
	case !installed(s.Have):
		return Install, "not installed yet" + brings(s.Next.CRDs)
	default:
		return m.compare(s)
	}
}

// mayReuseValues says whether the values of the deployed revision may go into the next one, if that is wanted. A client that may write
// Secrets only could have written them.
func (s Step) mayReuseValues() bool {
	if !s.Want.Options.ReuseValues && !s.Want.Options.ResetThenReuseValues || !installed(s.Have) {
		return true
	}
	return s.Have.Trusted || s.Have.Status != "deployed" && s.Have.LastDeployed != release.Record{}
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
		if s.Have.Fingerprint == "" || s.Have.Fingerprint != s.Next.Fingerprint {
			if reason := difference(*s.Have, *s.Next); reason != "" {
				return Upgrade, reason
			}
		}
		return m.settled(s)
	case "pending-install", "pending-upgrade", "pending-rollback", "uninstalling", "unknown":
		return m.unfinished(s)
	default:
		return Upgrade, fmt.Sprintf("last revision %s", s.Have.Status)
	}
}

// settled is the rule for a release whose last revision is as declared: live objects and labels must be so too.
func (m maker) settled(s Step) (Verb, string) {
	switch {
	case len(s.ToCorrect) > 0:
		return Correct, m.describe(s, s.ToCorrect)
	case s.Have.Owner == s.Owner && len(s.Have.Drifts) > 0 && !s.Proven():
		return Drifted, m.describe(s, s.Have.Drifts) + "; " + unproven + "; not corrected"
	case s.Have.Owner == s.Owner && len(s.Have.Drifts) > 0:
		return Drifted, m.describe(s, s.Have.Drifts)
	case s.Have.Owner == s.Owner && !s.Proven():
		return Unchanged, "as declared; " + unproven + ": drift is not corrected"
	case s.Have.Owner == s.Owner:
		return Unchanged, "as declared"
	case s.Have.Instance == "":
		return Adopt, "as declared, but nobody's yet"
	case s.Have.Origin != s.Owner.Origin:
		return Adopt, "as declared, now by another repository, path or environment"
	case s.Have.Fingerprint != s.Owner.Fingerprint:
		return Relabel, "as declared; what it is made from is recorded anew"
	default:
		return Adopt, "as declared; whether to keep it when it no longer is, or to look for drift, has changed"
	}
}

// unfinished tells a revision in the making from one whose maker died.
func (m maker) unfinished(s Step) (Verb, string) {
	since := s.Have.Updated.UTC().Format(time.RFC3339)
	if limit := m.abandonedAfter(*s.Want); m.now.Sub(s.Have.Updated) < limit {
		return Refuse, fmt.Sprintf("revision %d is %s since %s: another Helm operation may be under way; it counts as interrupted after %s",
			s.Have.Revision, s.Have.Status, since, limit)
	}
	return Upgrade, fmt.Sprintf("last revision %s since %s, interrupted", s.Have.Status, since)
}

const (
	helmTimeout = 5 * time.Minute // Helm's own default
	clockSkew   = time.Minute     // and what it takes to begin and to end
)

// abandonedAfter is the age from which nobody can be at work on a release any more: neither a run of this agent nor a person
// who gave Helm the same time as the helmfile does, or none at all.
func (m maker) abandonedAfter(want release.Desired) time.Duration {
	return max(m.policy.AbandonedAfter, max(want.Options.Timeout, helmTimeout)+clockSkew)
}

// brings names the definitions of kinds that come with a release: they are for the whole cluster, and stay when it goes.
func brings(crds release.Manifest) string {
	if len(crds) == 0 {
		return ""
	}
	names := make([]string, len(crds))
	for i, crd := range crds {
		names[i] = crd.Name
	}
	return "; brings the CRDs " + enumerate(names)
}
