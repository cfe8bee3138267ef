package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Policy is the input of the rules besides the releases.
type Policy struct {
	// Instance is the agent instance that makes the plan.
	Instance string
	// Origin identifies the repository, path and environment that declare the releases. It is empty when they are not
	// known, as in a diff of a local checkout. Commit is the revision.
	Origin, Commit string
	// AbandonedAfter is the age after which no run of this agent can still be working on a pending revision.
	AbandonedAfter time.Duration
	// Lease is the instance's Lease, from which the agent knows that a run has ended. It is not known for a diff.
	Lease release.Lease
	// DiffOnly says that the plan is for a diff: nothing is applied.
	DiffOnly bool
	// SelectorInUse says that a selector leaves releases out.
	SelectorInUse bool
	// SkippedFiles are the state files that helmfile skipped because they do not define the environment.
	SkippedFiles []string
	Prune        Pruning
	Drift        release.DriftMode
	// AdoptServerSide takes over releases that a Helm 4 client applied server-side, unless their label says otherwise.
	AdoptServerSide bool
}

// Build decides what to do with each release. Every declared release and every owned release gets exactly one step.
func Build(want []release.Desired, have []release.Observed, next []release.Rendered, previous release.InstanceState, policy Policy, now time.Time) Plan {
	rules := planner{policy: policy, now: now, declared: len(want), corrected: previous.Corrected, marks: index(slices.Clone(previous.Marks), func(mark *release.Mark) release.Key { return mark.Key })}
	found, rendered := index(have, observedKey), index(next, renderedKey)
	var p Plan
	declared := map[release.Key]bool{}
	for i := range want {
		declared[want[i].Key] = true
		p.Steps = append(p.Steps, rules.declaredStep(Step{
			Key: want[i].Key, Want: &want[i], Have: found[want[i].Key], Next: rendered[want[i].Key],
		}))
	}
	p.Steps = append(p.Steps, rules.orphans(have, declared)...)
	slices.SortFunc(p.Steps, func(a, b Step) int { return a.Key.Compare(b.Key) })
	p.order()
	p.orderPrunes(previous.Needs)
	return p
}

// planner holds the input of every rule.
type planner struct {
	policy   Policy
	now      time.Time
	declared int
	marks    map[release.Key]*release.Mark
	// corrected counts, for each drift, the consecutive runs that corrected it so far.
	corrected map[string]int
}

func (p planner) declaredStep(step Step) Step {
	step.Want = p.withServerSide(step.Want)
	step.Owner, step.Mark = p.owner(step), p.marks[step.Key]
	step.ToCorrect = p.toCorrect(step)
	step.Verb, step.Why = p.decide(step)
	if step.Verb == Uninstall && !step.Proven() {
		step.Want = withoutHooks(*step.Want)
	}
	if step.Mark != nil && step.Verb != Refuse {
		step.Why += "; declared again, no longer marked"
	}
	return step
}

// withoutHooks disables hooks, because another client could have written them into the record.
func withoutHooks(want release.Desired) *release.Desired {
	want.Options.DisableHooks = true
	return &want
}

func (p planner) owner(s Step) release.Owner {
	owner := release.Owner{
		Instance: p.policy.Instance,
		Origin:   p.policy.Origin,
		Keep:     s.Want.Labels[release.PruneLabel] == release.KeepValue,
		DriftOff: release.DriftMode(s.Want.Labels[release.DriftLabel]) == release.IgnoreDrift,
	}
	if p.policy.Origin == "" && s.Have != nil {
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

// decide chooses the verb for one declared release.
func (p planner) decide(s Step) (Verb, string) {
	switch {
	case s.Want.State == release.Disabled:
		return Leave, "disabled by its condition"
	case s.Want.State == release.Unselected:
		return Leave, "not selected"
	case s.ownedByOther():
		return Refuse, fmt.Sprintf("instance %s owns this release, and this agent is instance %s: only one of them may declare it", s.Have.Instance, s.Owner.Instance)
	case s.Have != nil && s.Have.Damaged != "":
		return Refuse, s.Have.Damaged
	case s.Want.State == release.Absent && !installed(s.Have):
		return Unchanged, "installed: false"
	case s.Want.State == release.Absent && p.mayBeInUse(*s.Have, s.Want.Options):
		return Refuse, p.inUseReason(*s.Have, s.Want.Options)
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
	case !validAdoptLabel(*s.Want):
		return Refuse, fmt.Sprintf("its label %s is %q: use true or false", release.AdoptServerSideLabel, s.Want.Labels[release.AdoptServerSideLabel])
	case !s.mayReuseValues():
		return Refuse, "it reuses the values of the last revision, but " + unproven + ": deploy it once without reuseValues and resetThenReuseValues"
	case !installed(s.Have):
		return Install, "not installed yet" + crdNotice(s.Next.CRDs)
	case s.Have.ServerSide:
		return p.decideServerSide(s)
	default:
		return p.decideExisting(s)
	}
}

// ownedByOther says whether another instance owns the release.
func (s Step) ownedByOther() bool {
	return installed(s.Have) && s.Have.Instance != "" && !s.Owned()
}

// mayReuseValues says whether the values of the deployed revision may be reused. An unproven record may have values that a user wrote
// who may write Secrets and nothing else.
func (s Step) mayReuseValues() bool {
	if !s.Want.Options.ReuseValues && !s.Want.Options.ResetThenReuseValues || !installed(s.Have) || s.installsAgain() {
		return true
	}
	return s.Have.Trusted || s.Have.Status != "deployed" && s.Have.LastDeployed != release.Record{}
}

func installed(have *release.Observed) bool {
	return have != nil && have.Status != "uninstalled"
}

// decideExisting chooses the verb for a release that is declared and installed.
func (p planner) decideExisting(s Step) (Verb, string) {
	switch s.Have.Status {
	case "deployed":
		if s.Have.Fingerprint == "" || s.Have.Fingerprint != s.Next.Fingerprint {
			if reason := difference(*s.Have, *s.Next); reason != "" {
				return Upgrade, reason
			}
		}
		return p.decideDeployed(s)
	default:
		return p.decideUndeployed(s)
	}
}

// decideDeployed chooses the verb for a release whose newest revision is as declared. Its live objects and its labels may still
// differ.
func (p planner) decideDeployed(s Step) (Verb, string) {
	switch {
	case len(s.ToCorrect) > 0:
		return Correct, p.describeDrifts(s, s.ToCorrect)
	case s.Have.Owner == s.Owner && len(s.Have.Drifts) > 0 && !s.Proven():
		return Drifted, p.describeDrifts(s, s.Have.Drifts) + "; " + unproven + "; not corrected"
	case s.Have.Owner == s.Owner && len(s.Have.Drifts) > 0:
		return Drifted, p.describeDrifts(s, s.Have.Drifts)
	case s.Have.Owner == s.Owner && !s.Proven():
		return Unchanged, "as declared; " + unproven + ": drift is not corrected"
	case s.Have.Owner == s.Owner:
		return Unchanged, "as declared"
	case s.Have.Instance == "":
		return Adopt, "as declared, but no instance owns it yet"
	case s.Have.Origin != s.Owner.Origin:
		return Adopt, "as declared; its repository, path or environment has changed"
	case s.Have.Fingerprint != s.Owner.Fingerprint:
		return Relabel, "as declared; a new fingerprint of its inputs is recorded"
	default:
		return Adopt, "as declared; its setting to keep it or to ignore drift has changed"
	}
}

// crdNotice lists the CRDs that the chart installs. They affect the whole cluster, and Helm does not remove them with the release.
func crdNotice(crds release.Manifest) string {
	if len(crds) == 0 {
		return ""
	}
	names := make([]string, len(crds))
	for i, crd := range crds {
		names[i] = crd.Name
	}
	return "; installs the CRDs " + enumerate(names)
}
