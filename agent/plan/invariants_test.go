package plan

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// input is one input of Build.
type input struct {
	want     []release.Desired
	have     []release.Observed
	next     []release.Rendered
	previous release.InstanceState
	Policy
}

func (in input) plan() Plan { return Build(in.want, in.have, in.next, in.previous, in.Policy, noon) }

const inputs = 5000

func TestInvariants(t *testing.T) {
	verbs := map[Verb]int{}
	for seed := range uint64(inputs) {
		in := randomInput(seed)
		p := in.plan()
		for _, step := range p.Steps {
			verbs[step.Verb]++
		}
		for name, check := range map[string]func(input, Plan) error{
			"every declared and every owned release appears once":        appearOnce,
			"every verb has a reason":                                    allHaveReasons,
			"only a deployed release is unchanged":                       unchangedOnlyDeployed,
			"only a release with installed: false is uninstalled":        uninstalledOnlyAbsent,
			"only marked orphans are pruned, after all other steps":      prunedLast,
			"a release of another instance is not changed":               otherInstancesUnchanged,
			"only undeclared releases of this instance are marked":       onlyOrphansMarked,
			"only a deployed release is corrected":                       correctedOnlyDeployed,
			"only a release with a proven record is corrected or pruned": changedOnlyProven,
			"needs and after refer to steps of the plan":                 referToSteps,
			"after stays within a phase":                                 withinPhase,
			"after has no cycle":                                         acyclic,
		} {
			if err := check(in, p); err != nil {
				t.Fatalf("seed %d: %s: %v", seed, name, err)
			}
		}
	}
	for _, verb := range []Verb{Install, Upgrade, Uninstall, Adopt, Relabel, Correct, Drifted, Unchanged, Leave, Mark, Prune, Orphan, Hold, Refuse} {
		if verbs[verb] < inputs/100 {
			t.Errorf("the random inputs lead to %s only %d times", verb, verbs[verb])
		}
	}
}

func TestBuildDoesNotChangeItsArguments(t *testing.T) {
	for seed := range uint64(inputs) {
		in, before := randomInput(seed), randomInput(seed)
		in.plan()
		if !reflect.DeepEqual(in, before) {
			t.Fatalf("seed %d: the arguments changed", seed)
		}
	}
}

func TestTheOrderOfTheInputDoesNotMatter(t *testing.T) {
	for seed := range uint64(inputs) {
		in := randomInput(seed)
		p := in.plan()
		shuffled := randomInput(seed)
		random := rand.New(rand.NewPCG(seed, 1))
		shuffle(random, shuffled.want)
		shuffle(random, shuffled.have)
		shuffle(random, shuffled.next)
		if q := shuffled.plan(); !reflect.DeepEqual(p, q) {
			t.Fatalf("seed %d:\n%q %q\n%q %q", seed, reasons(p), order(p), reasons(q), order(q))
		}
	}
}

func appearOnce(in input, p Plan) error {
	expected := map[release.Key]int{}
	for _, d := range in.want {
		expected[d.Key] = 1
	}
	for _, o := range in.have {
		if o.Instance == policy.Instance && o.Status != "uninstalled" {
			expected[o.Key] = 1
		}
	}
	got := map[release.Key]int{}
	for _, step := range p.Steps {
		got[step.Key]++
	}
	if !reflect.DeepEqual(expected, got) {
		return fmt.Errorf("got %v, want %v", got, expected)
	}
	if !slices.IsSortedFunc(p.Steps, func(a, b Step) int { return a.Key.Compare(b.Key) }) {
		return errors.New("not ordered by key")
	}
	return nil
}

func allHaveReasons(_ input, p Plan) error {
	for _, step := range p.Steps {
		if step.Verb == "" || step.Why == "" {
			return fmt.Errorf("%s: verb %q, why %q", step.Key, step.Verb, step.Why)
		}
	}
	return nil
}

func unchangedOnlyDeployed(_ input, p Plan) error {
	for _, step := range p.Steps {
		away := step.Have == nil || step.Have.Status == "uninstalled"
		asDeclared := !away && step.Have.Status == "deployed"
		if step.Want != nil && step.Want.State == release.Absent {
			asDeclared = away
		}
		if step.Verb == Unchanged && !asDeclared {
			return fmt.Errorf("%s is unchanged: %+v", step.Key, step.Have)
		}
	}
	return nil
}

func correctedOnlyDeployed(_ input, p Plan) error {
	for _, step := range p.Steps {
		if step.Verb != Correct && step.Verb != Drifted {
			continue
		}
		if step.Have.Status != "deployed" || len(step.Have.Drifts) == 0 || step.Verb == Correct && len(step.ToCorrect) == 0 {
			return fmt.Errorf("%s: %s of %+v", step.Key, step.Verb, step.Have)
		}
	}
	return nil
}

func changedOnlyProven(_ input, p Plan) error {
	for _, step := range p.Steps {
		trusted := step.Have != nil && step.Have.Trusted
		reproduced := step.Next != nil && step.Next.Reproduced
		switch {
		case trusted || reproduced:
		case step.Verb == Correct || step.Verb == Prune:
			return fmt.Errorf("%s: %s of %+v", step.Key, step.Verb, step.Have)
		case step.Verb == Uninstall && !step.Want.Options.DisableHooks:
			return fmt.Errorf("%s would be uninstalled with hooks", step.Key)
		}
	}
	return nil
}

func uninstalledOnlyAbsent(_ input, p Plan) error {
	for _, step := range p.Steps {
		if step.Verb == Uninstall && (step.Want == nil || step.Want.State != release.Absent) {
			return fmt.Errorf("%s would be uninstalled: %s", step.Key, step.Why)
		}
		if step.Want == nil && step.Verb.Writes() && step.Verb != Prune {
			return fmt.Errorf("%s is not declared: %s", step.Key, step.Verb)
		}
	}
	return nil
}

func prunedLast(in input, p Plan) error {
	for _, step := range p.Steps {
		marked := slices.ContainsFunc(in.previous.Marks, func(mark release.Mark) bool { return mark.Key == step.Key })
		if step.Verb == Prune && (step.Want != nil || step.Have.Instance != policy.Instance || !marked) {
			return fmt.Errorf("%s would be pruned: %s", step.Key, step.Why)
		}
		for _, other := range p.Steps {
			if step.Verb == Prune && other.Verb != Prune && other.Phase >= step.Phase {
				return fmt.Errorf("%s would be pruned before %s", step.Key, other.Key)
			}
		}
	}
	return nil
}

func otherInstancesUnchanged(_ input, p Plan) error {
	for _, step := range p.Steps {
		if step.Verb.Writes() && step.Have != nil && step.Have.Status != "uninstalled" && step.Have.Instance == "theirs" {
			return fmt.Errorf("%s: %s", step.Key, step.Verb)
		}
	}
	return nil
}

func onlyOrphansMarked(in input, p Plan) error {
	steps := index(p.Steps, func(s *Step) release.Key { return s.Key })
	seen := map[release.Key]bool{}
	for _, mark := range p.NextState(in.previous, nil, failing).Marks {
		step := steps[mark.Key]
		if step == nil || step.Want != nil || step.Have.Instance != policy.Instance || seen[mark.Key] {
			return fmt.Errorf("%s is marked", mark.Key)
		}
		seen[mark.Key] = true
	}
	for _, step := range p.Steps {
		if step.Verb == Mark && !seen[step.Key] {
			return fmt.Errorf("%s is not marked", step.Key)
		}
	}
	return nil
}

func referToSteps(_ input, p Plan) error {
	steps := index(p.Steps, func(s *Step) release.Key { return s.Key })
	for _, step := range p.Steps {
		for _, k := range slices.Concat(step.After, step.Needs) {
			if steps[k] == nil || k == step.Key {
				return fmt.Errorf("%s waits for %s", step.Key, k)
			}
		}
		for _, k := range step.After {
			if !slices.Contains(step.Needs, k) {
				return fmt.Errorf("%s waits for %s without needing it", step.Key, k)
			}
		}
	}
	return nil
}

func withinPhase(_ input, p Plan) error {
	steps := index(p.Steps, func(s *Step) release.Key { return s.Key })
	for _, step := range p.Steps {
		for _, k := range step.After {
			if steps[k].Phase != step.Phase {
				return fmt.Errorf("%s of phase %d after %s of phase %d", step.Key, step.Phase, k, steps[k].Phase)
			}
		}
	}
	return nil
}

// acyclic removes steps that do not wait for other steps, until no step is left.
func acyclic(_ input, p Plan) error {
	left := index(p.Steps, func(s *Step) release.Key { return s.Key })
	waits := func(s *Step) bool {
		return slices.ContainsFunc(s.After, func(k release.Key) bool { return left[k] != nil })
	}
	for taken := true; taken; {
		taken = false
		for k, step := range left {
			if !waits(step) {
				delete(left, k)
				taken = true
			}
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("%d steps form a cycle: %q", len(left), order(p))
	}
	return nil
}

// randomInput makes a random input from a seed. Its needs have no cycle: each refers to an earlier release in a random order.
func randomInput(seed uint64) input {
	random := rand.New(rand.NewPCG(seed, 0))
	var keys []release.Key
	for _, namespace := range []string{"data", "shop"} {
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			keys = append(keys, release.Key{Namespace: namespace, Name: name})
		}
	}
	shuffle(random, keys)
	in := input{Policy: randomPolicy(random), previous: release.InstanceState{Needs: map[string][]release.Key{}}}
	for i, k := range keys {
		if chance(random, 50) {
			in.want = append(in.want, randomDesired(random, k, keys[:i]))
		}
		if chance(random, 60) {
			in.have = append(in.have, randomObserved(random, k))
		}
		if chance(random, 50) {
			in.previous.Marks = append(in.previous.Marks, randomMark(random, k))
		}
		if chance(random, 50) {
			in.previous.Needs[k.String()] = keys[:random.IntN(len(keys))] // may have cycles
		}
		if chance(random, 90) {
			in.next = append(in.next, randomRendered(random, k))
		}
	}
	shuffle(random, in.want)
	return in
}

// randomPolicy allows most prunes.
func randomPolicy(random *rand.Rand) Policy {
	p := policy
	p.SelectorInUse = chance(random, 5)
	p.Drift = pick(random, release.CorrectDrift, release.WarnDrift)
	if chance(random, 5) {
		p.SkippedFiles = []string{"helmfile.yaml"}
	}
	p.Prune = Pruning{
		Mode:     pick(random, TwoStep, TwoStep, TwoStep, TwoStep, TwoStep, TwoStep, ReportOnly, Off),
		Grace:    pick(random, 0, 0, 10*time.Minute),
		MaxShare: pick(random, 100, 100, 20),
		Allow:    pick(random, "", "", commit[:7]),
	}
	return p
}

func randomMark(random *rand.Rand, k release.Key) release.Mark {
	return release.Mark{
		Key:      k,
		Since:    noon.Add(-time.Duration(random.IntN(22)-2) * time.Minute),
		Commit:   earlier,
		Origin:   pick(random, "origin", "origin", "origin", "elsewhere"),
		Runs:     1 + random.IntN(9),
		Deployed: noon.Add(-time.Duration(pick(random, 60, 60, 61)) * time.Minute),
	}
}

func randomDesired(random *rand.Rand, k release.Key, earlier []release.Key) release.Desired {
	d := release.Desired{
		Key:   k,
		State: pick(random, release.Installed, release.Installed, release.Absent, release.Absent, release.Disabled, release.Unselected),
		Stage: random.IntN(3),
	}
	for _, need := range earlier {
		if chance(random, 30) {
			d.Needs = append(d.Needs, need)
		}
	}
	shuffle(random, d.Needs)
	if chance(random, 10) {
		d.Broken = errors.New("broken")
	}
	return d
}

func randomObserved(random *rand.Rand, k release.Key) release.Observed {
	o := release.Observed{
		Key:      k,
		Revision: 1 + random.IntN(9),
		Status: pick(random, "deployed", "deployed", "deployed", "deployed", "failed", "uninstalled", "superseded", "unknown",
			"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"),
		Updated: noon.Add(-time.Duration(pick(random, random.IntN(20), 60, 60, 60)) * time.Minute),
		Owner: release.Owner{
			Instance: pick(random, "", "", "mine", "mine", "mine", "theirs"),
			Origin:   pick(random, "origin", "origin", "origin", "origin", "elsewhere"),
			Keep:     chance(random, 10),

			Fingerprint: pick(random, "", "v1-a", "v1-a", "v1-a", "v1-a", "v1-b"),
		},
		Trusted:    chance(random, 80),
		Drifts:     randomDrifts(random),
		KeptByHand: chance(random, 5),
		Chart:      release.ChartVersion{Name: "web", Version: pick(random, "1", "2")},
		Values:     values{"a": values{"b": random.IntN(2), "c": float64(random.IntN(2))}},
		Manifest:   release.Manifest{deployment(random.IntN(2))},
	}
	o.Operation = operations[o.Status]
	if o.Status == "failed" && chance(random, 50) {
		o.Operation = pick(random, release.Installing, release.Upgrading, release.RollingBack, release.Uninstalling)
	}
	if o.Operation != "" && chance(random, 50) {
		o.Run = release.Run{Lease: pick(random, "lease", "other"), Holder: pick(random, "dead", "alive")}
	}
	return o
}

func randomDrifts(random *rand.Rand) []release.Drift {
	if chance(random, 40) {
		return nil
	}
	return []release.Drift{{
		ObjectKey: release.ObjectKey{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
		Missing:   chance(random, 50),
		Mode:      pick(random, "", "", release.WarnDrift, release.CorrectDrift),
	}}
}

func randomRendered(random *rand.Rand, k release.Key) release.Rendered {
	o := randomObserved(random, k)
	r := release.Rendered{Key: k, Chart: o.Chart, Values: o.Values, Manifest: o.Manifest, Fingerprint: o.Fingerprint, Reproduced: chance(random, 50)}
	if chance(random, 10) {
		r.Err = errors.New("does not render")
	}
	return r
}

func chance(random *rand.Rand, percent int) bool { return random.IntN(100) < percent }

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

func shuffle[T any](random *rand.Rand, items []T) {
	random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
}
