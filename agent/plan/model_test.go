package plan_test

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// simulation is a model of a cluster, a clock and two instances, and a log of all events.
type simulation struct {
	random   *rand.Rand
	now      time.Time
	cluster  map[release.Key]*found
	agents   []*agent
	counts   map[string]int // shared with other simulations
	log      []string
	failures []string // violated promises
}

// agent is one instance with its repository, its settings and its saved state, and what the test knows about its earlier runs.
type agent struct {
	name     string
	helmfile map[release.Key]*entry
	before   map[release.Key]*entry // the helmfile of the previous commit
	revision string
	origin   string
	prune    plan.Pruning
	state    string // as it is saved; empty when there is none

	sightings map[release.Key][]sighting
	known     map[string]bool // namespaces in which the last completed run left releases of this instance
}

// entry is a release in the helmfile.
type entry struct {
	state   release.DesiredState
	version int
	keep    bool
	second  bool // it is in the second state file
	needs   []release.Key
}

// found is a release in the cluster; nil means that there is none.
type found struct{ release.Observed }

func (f *found) installed() bool { return f != nil && f.Status != "uninstalled" }

func (f *found) ownedBy(instance string) bool { return f.installed() && f.Instance == instance }

const ownNamespace = "shop"

var keys = func() (all []release.Key) {
	for _, namespace := range []string{"data", "misc", ownNamespace} {
		for _, name := range []string{"a", "b", "c", "d"} {
			all = append(all, release.Key{Namespace: namespace, Name: name})
		}
	}
	return all
}()

func newSimulation(seed uint64, counts map[string]int) *simulation {
	sim := &simulation{
		random:  rand.New(rand.NewPCG(seed, 0)),
		now:     time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		cluster: map[release.Key]*found{},
		counts:  counts,
	}
	for _, name := range []string{"A", "B"} {
		sim.agents = append(sim.agents, &agent{
			name: name, helmfile: map[release.Key]*entry{}, before: map[release.Key]*entry{}, origin: "origin of " + name,
			prune: plan.Pruning{Mode: plan.TwoStep, MaxShare: 50}, sightings: map[release.Key][]sighting{}, known: map[string]bool{},
		})
	}
	for _, a := range sim.agents {
		sim.commit(a, func() {
			for range 4 {
				sim.add(a)
			}
		})
	}
	return sim
}

func (sim *simulation) chance(percent int) bool { return sim.random.IntN(100) < percent }

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// advanceClock changes the time by d and some random nanoseconds, so that no time occurs twice.
func (sim *simulation) advanceClock(d time.Duration) {
	sim.now = sim.now.Add(d + time.Duration(sim.random.IntN(1e9)))
}

func (sim *simulation) record(what string, args ...any) {
	sim.counts[what]++
	sim.log = append(sim.log, fmt.Sprintln(append([]any{"  ", sim.now.Format("02 15:04"), what}, args...)...))
}

func (sim *simulation) other(a *agent) *agent {
	if a == sim.agents[0] {
		return sim.agents[1]
	}
	return sim.agents[0]
}

func (sim *simulation) commit(a *agent, change func()) {
	before := map[release.Key]*entry{}
	for key, e := range a.helmfile {
		entry := *e
		before[key] = &entry
	}
	a.before = before
	change()
	a.revision = fmt.Sprintf("%016x", sim.random.Uint64())
}

// add declares a release. Usually it is one that the other instance does not declare.
func (sim *simulation) add(a *agent) release.Key {
	key := pick(sim.random, keys...)
	for try := 0; try < 9 && (sim.other(a).helmfile[key] != nil || sim.cluster[key].ownedBy(sim.other(a).name)); try++ {
		key = pick(sim.random, keys...)
	}
	e := &entry{state: release.Installed, version: sim.random.IntN(3), second: sim.chance(30), keep: sim.chance(10)}
	for _, earlier := range keys {
		if earlier.Compare(key) < 0 && a.helmfile[earlier] != nil && sim.chance(30) {
			e.needs = append(e.needs, earlier)
		}
	}
	a.helmfile[key] = e
	return key
}

// anyDeclared picks a release from the helmfile. It declares one if the helmfile is empty.
func (sim *simulation) anyDeclared(a *agent) release.Key {
	all := slices.SortedFunc(maps.Keys(a.helmfile), release.Key.Compare)
	if len(all) == 0 {
		return sim.add(a)
	}
	return pick(sim.random, all...)
}

// anyInstalled picks a release from the cluster; nil when there is none.
func (sim *simulation) anyInstalled() *found {
	all := slices.SortedFunc(maps.Keys(sim.cluster), release.Key.Compare)
	if len(all) == 0 {
		return nil
	}
	return sim.cluster[pick(sim.random, all...)]
}

// addRevision makes a new revision of a release. All earlier sightings of the release are void then.
func (sim *simulation) addRevision(key release.Key, status string, owner release.Owner, version int) int {
	revision := 1
	if last := sim.cluster[key]; last != nil {
		revision = last.Revision + 1
	}
	sim.now = sim.now.Add(1) // no two revisions have the same time
	sim.cluster[key] = &found{release.Observed{Key: key, Revision: revision, Status: status, Updated: sim.now, Owner: owner, Manifest: manifest(version), Trusted: true}}
	for _, a := range sim.agents {
		delete(a.sightings, key)
	}
	return revision
}

func manifest(version int) release.Manifest {
	return release.Manifest{{ObjectKey: release.ObjectKey{Kind: "ConfigMap", Name: "version"}, Content: map[string]any{"version": version}}}
}

// conditions are the special conditions of one run.
type conditions struct {
	selector, skipsFile bool
	unreadable          string               // a namespace
	failing             map[release.Key]bool // operations on these fail
	leavesTrace         bool                 // a failed operation leaves a failed revision
	notReached          map[release.Key]bool // the run is stopped before it begins these
	stopped             string               // when the run is stopped; empty when it is not
}

func (sim *simulation) randomConditions() conditions {
	c := conditions{
		selector: sim.chance(6), skipsFile: sim.chance(5), leavesTrace: sim.chance(50),
		failing: map[release.Key]bool{}, notReached: map[release.Key]bool{},
	}
	if sim.chance(6) {
		c.unreadable = pick(sim.random, "data", "misc")
	}
	if sim.chance(10) {
		c.stopped = pick(sim.random, "at once", "in the middle", "at the end")
	}
	fails := sim.chance(20)
	for _, key := range keys {
		c.failing[key] = fails && sim.chance(30)
		c.notReached[key] = c.stopped == "in the middle" && sim.chance(50)
	}
	return c
}

// runInput is what a run reads before it makes its plan, and some numbers that only the test uses.
type runInput struct {
	started    time.Time
	want       []release.Desired
	have       []release.Observed
	next       []release.Rendered
	previous   release.InstanceState
	read       map[string]bool
	unread     map[string]bool
	undeclared []release.Key // owned releases that the run can read
	all        int           // the number of releases that the maximum share refers to
	prunes     int           // in the plan
	refusals   int
}

func (sim *simulation) runInput(a *agent, c conditions) *runInput {
	in := &runInput{started: sim.now, read: map[string]bool{ownNamespace: true}, unread: map[string]bool{}}
	in.previous, _ = release.DecodeState(a.state) // an unreadable state counts as empty
	for _, key := range keys {
		if e := a.helmfile[key]; e != nil && !(c.skipsFile && e.second) {
			in.want = append(in.want, sim.desired(key, e, c))
			in.next = append(in.next, release.Rendered{Key: key, Manifest: manifest(e.version)})
			in.read[key.Namespace] = true
		}
	}
	for _, namespace := range in.previous.Namespaces {
		if namespace == c.unreadable && !in.read[namespace] {
			in.unread[namespace] = true
		} else {
			in.read[namespace] = true
		}
	}
	for _, key := range keys {
		if found := sim.cluster[key]; found != nil && in.read[key.Namespace] {
			in.have = append(in.have, found.Observed)
			if e := a.helmfile[key]; found.ownedBy(a.name) && (e == nil || c.skipsFile && e.second) {
				in.undeclared = append(in.undeclared, key)
			}
		}
	}
	in.all = len(in.want) + len(in.undeclared)
	return in
}

func (sim *simulation) desired(key release.Key, e *entry, c conditions) release.Desired {
	d := release.Desired{Key: key, State: e.state, Needs: e.needs, Labels: map[string]string{}}
	if e.keep {
		d.Labels[release.PruneLabel] = release.KeepValue
	}
	if c.selector && sim.chance(50) {
		d.State = release.Unselected
	}
	return d
}

func (in *runInput) policy(a *agent, c conditions) plan.Policy {
	p := plan.Policy{Instance: a.name, Origin: a.origin, Commit: a.revision, AbandonedAfter: minutes(10), SelectorInUse: c.selector, Prune: a.prune}
	if c.skipsFile {
		p.SkippedFiles = []string{"second.yaml"}
	}
	return p
}

// run is one run of an instance, as agent.Run does it. It returns the changes that were planned.
func (sim *simulation) run(a *agent, c conditions) []string {
	in := sim.runInput(a, c)
	p := plan.Build(in.want, in.have, in.next, in.previous, in.policy(a, c), in.started)
	for _, step := range p.Steps {
		switch step.Verb {
		case plan.Prune:
			in.prunes++
		case plan.Refuse:
			in.refusals++
		}
	}
	sim.log = append(sim.log, fmt.Sprintf("%s at %s %s: %s", a.name, a.revision[:7], sim.now.Format("02 15:04:05"), verbsAndKeys(p.Steps)))
	sim.countConditions(in, c, p)
	if c.stopped == "at once" {
		return verbsAndKeys(p.Changes())
	}
	w := &checkedWriter{simulation: sim, agent: a, runInput: in, conditions: c}
	outcomes := apply.Execute(background, p, w, 1+sim.random.IntN(4), slog.New(slog.DiscardHandler))
	sim.checkOutcomes(in, p, outcomes)
	if c.stopped == "" {
		sim.saveState(a, in, p, outcomes)
		w.completed()
	}
	return verbsAndKeys(p.Changes())
}

func (sim *simulation) saveState(a *agent, in *runInput, p plan.Plan, outcomes []apply.Outcome) {
	done := map[release.Key]bool{}
	for _, o := range outcomes {
		done[o.Key] = o.Result == apply.Done
	}
	state := p.NextState(in.previous, slices.Sorted(maps.Keys(in.unread)), func(key release.Key) bool { return done[key] })
	encoded, err := state.Encode()
	if err != nil || len(encoded) > release.MaxStateBytes {
		sim.fail("the state has %d bytes: %v", len(encoded), err)
	}
	sim.checkState(a, in, state)
	a.state = encoded
}

// checkState checks that the saved state names only releases that exist, or that are in unreadable namespaces.
func (sim *simulation) checkState(a *agent, in *runInput, state release.InstanceState) {
	seen := map[release.Key]bool{}
	for _, mark := range state.Marks {
		owned := slices.Contains(in.undeclared, mark.Key) && sim.cluster[mark.Key].ownedBy(a.name)
		if seen[mark.Key] || !owned && !in.unread[mark.Namespace] {
			sim.fail("%s saves the mark %+v", a.name, mark)
		}
		seen[mark.Key] = true
	}
	for needing := range state.Needs {
		namespace, name, _ := strings.Cut(needing, "/")
		key := release.Key{Namespace: namespace, Name: name}
		if !slices.Contains(keys, key) || sim.cluster[key] == nil && a.helmfile[key] == nil && !in.unread[namespace] {
			sim.fail("%s saves the needs of %s", a.name, key)
		}
	}
	if !slices.IsSorted(state.Namespaces) || len(slices.Compact(state.Namespaces)) > 3 {
		sim.fail("%s saves the namespaces %v", a.name, state.Namespaces)
	}
}

// checkOutcomes checks that every release has exactly one step, and that nothing was pruned in a run with a failure.
func (sim *simulation) checkOutcomes(in *runInput, p plan.Plan, outcomes []apply.Outcome) {
	seen := map[release.Key]int{}
	for _, key := range in.undeclared {
		seen[key]++
	}
	for _, want := range in.want {
		seen[want.Key]++
	}
	restDone, pruned := true, false
	for _, o := range outcomes {
		seen[o.Key]--
		sim.counts[string(o.Verb)+" "+string(o.Result)]++
		if o.Verb == plan.Prune {
			pruned = pruned || o.Result != apply.Skipped
		} else {
			restDone = restDone && o.Result == apply.Done
		}
	}
	for key, n := range seen {
		if n != 0 {
			sim.fail("%s has %d steps too few", key, n)
		}
	}
	if pruned && !restDone {
		sim.fail("pruned in spite of a failure: %s", verbsAndKeys(p.Steps))
	}
}

func (sim *simulation) countConditions(in *runInput, c conditions, p plan.Plan) {
	for what, is := range map[string]bool{
		"a selector": c.selector, "a skipped state file": c.skipsFile, "an unreadable namespace": len(in.unread) > 0,
		"stopped " + c.stopped: c.stopped != "",
		"too large a share":    slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return strings.Contains(s.Why, " at once exceeds the limit of ") }),
	} {
		if is {
			sim.record(what)
		}
	}
}

// verbsAndKeys lists the steps as "verb key".
func verbsAndKeys(steps []plan.Step) (words []string) {
	for _, s := range steps {
		words = append(words, string(s.Verb)+" "+s.Key.String())
	}
	return words
}
