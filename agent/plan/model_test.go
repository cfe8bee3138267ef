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

// history is a model of the world: a cluster, a clock, two instances, and what has happened.
type history struct {
	random   *rand.Rand
	now      time.Time
	cluster  map[release.Key]*found
	agents   []*agent
	happened map[string]int // shared with other histories
	log      []string
	broken   []string // promises
}

// agent is one instance with its repository, its settings and its memory, and what the test knows of its past.
type agent struct {
	name     string
	helmfile map[release.Key]*entry
	before   map[release.Key]*entry // the helmfile of the commit before
	revision string
	origin   string
	prune    plan.Pruning
	memory   string // as it is stored; empty when there is none

	sightings map[release.Key][]sighting
	known     map[string]bool // namespaces in which the last completed run left releases of this instance
}

// entry is a release in the helmfile.
type entry struct {
	state   release.State
	version int
	keep    bool
	second  bool // it is in the second state file
	needs   []release.Key
}

// found is a release in the cluster; nil is none.
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

func begin(seed uint64, happened map[string]int) *history {
	h := &history{
		random:   rand.New(rand.NewPCG(seed, 0)),
		now:      time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		cluster:  map[release.Key]*found{},
		happened: happened,
	}
	for _, name := range []string{"A", "B"} {
		h.agents = append(h.agents, &agent{
			name: name, helmfile: map[release.Key]*entry{}, before: map[release.Key]*entry{}, origin: "origin of " + name,
			prune: plan.Pruning{Mode: plan.TwoStep, MaxShare: 50}, sightings: map[release.Key][]sighting{}, known: map[string]bool{},
		})
	}
	for _, a := range h.agents {
		h.commit(a, func() {
			for range 4 {
				h.add(a)
			}
		})
	}
	return h
}

func (h *history) chance(percent int) bool { return h.random.IntN(100) < percent }

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// pass lets time pass, never to a moment that has been.
func (h *history) pass(d time.Duration) { h.now = h.now.Add(d + time.Duration(h.random.IntN(1e9))) }

func (h *history) note(what string, args ...any) {
	h.happened[what]++
	h.log = append(h.log, fmt.Sprintln(append([]any{"  ", h.now.Format("02 15:04"), what}, args...)...))
}

func (h *history) other(a *agent) *agent {
	if a == h.agents[0] {
		return h.agents[1]
	}
	return h.agents[0]
}

func (h *history) commit(a *agent, change func()) {
	before := map[release.Key]*entry{}
	for key, e := range a.helmfile {
		entry := *e
		before[key] = &entry
	}
	a.before = before
	change()
	a.revision = fmt.Sprintf("%016x", h.random.Uint64())
}

// add declares a release, mostly one that the other instance does not.
func (h *history) add(a *agent) release.Key {
	key := pick(h.random, keys...)
	for try := 0; try < 9 && (h.other(a).helmfile[key] != nil || h.cluster[key].ownedBy(h.other(a).name)); try++ {
		key = pick(h.random, keys...)
	}
	e := &entry{state: release.Installed, version: h.random.IntN(3), second: h.chance(30), keep: h.chance(10)}
	for _, earlier := range keys {
		if earlier.Compare(key) < 0 && a.helmfile[earlier] != nil && h.chance(30) {
			e.needs = append(e.needs, earlier)
		}
	}
	a.helmfile[key] = e
	return key
}

// declared is one of the releases in the helmfile, or a new one.
func (h *history) declared(a *agent) release.Key {
	all := slices.SortedFunc(maps.Keys(a.helmfile), release.Key.Compare)
	if len(all) == 0 {
		return h.add(a)
	}
	return pick(h.random, all...)
}

// there is one of the releases in the cluster, nil when there is none.
func (h *history) there() *found {
	all := slices.SortedFunc(maps.Keys(h.cluster), release.Key.Compare)
	if len(all) == 0 {
		return nil
	}
	return h.cluster[pick(h.random, all...)]
}

// revise makes a new revision of a release, and whoever has seen it undeclared has not seen this one.
func (h *history) revise(key release.Key, status string, owner release.Owner, version int) int {
	revision := 1
	if last := h.cluster[key]; last != nil {
		revision = last.Revision + 1
	}
	h.now = h.now.Add(1) // no two are made at the same time
	h.cluster[key] = &found{release.Observed{Key: key, Revision: revision, Status: status, Updated: h.now, Owner: owner, Manifest: manifest(version), Trusted: true}}
	for _, a := range h.agents {
		delete(a.sightings, key)
	}
	return revision
}

func manifest(version int) release.Manifest {
	return release.Manifest{{ObjectKey: release.ObjectKey{Kind: "ConfigMap", Name: "version"}, Content: map[string]any{"version": version}}}
}

// circumstance is what is special about one run.
type circumstance struct {
	selector, passedOver bool
	unreadable           string               // a namespace
	failing              map[release.Key]bool // what is done to these fails
	lastingly            bool                 // and leaves a trace
	unreached            map[release.Key]bool // the run is stopped before it comes to these
	stopped              string               // when the run is stopped; empty when it is not
}

func (h *history) circumstances(a *agent) circumstance {
	c := circumstance{
		selector: h.chance(6), passedOver: h.chance(5), lastingly: h.chance(50),
		failing: map[release.Key]bool{}, unreached: map[release.Key]bool{},
	}
	if h.chance(6) {
		c.unreadable = pick(h.random, "data", "misc")
	}
	if h.chance(10) {
		c.stopped = pick(h.random, "at once", "in the middle", "at the end")
	}
	fails := h.chance(20)
	for _, key := range keys {
		c.failing[key] = fails && h.chance(30)
		c.unreached[key] = c.stopped == "in the middle" && h.chance(50)
	}
	return c
}

// look is what a run sees before it decides, and a little that only the test counts.
type look struct {
	started    time.Time
	want       []release.Desired
	have       []release.Observed
	next       []release.Rendered
	was        release.Memory
	read       map[string]bool
	unread     map[string]bool
	undeclared []release.Key // owned ones, as far as the run can see
	all        int           // releases that a share is counted of
	prunes     int           // that the plan wants
	refusals   int
}

func (h *history) look(a *agent, c circumstance) *look {
	l := &look{started: h.now, read: map[string]bool{ownNamespace: true}, unread: map[string]bool{}}
	l.was, _ = release.DecodeMemory(a.memory) // what is not understood is empty
	for _, key := range keys {
		if e := a.helmfile[key]; e != nil && !(c.passedOver && e.second) {
			l.want = append(l.want, h.desired(key, e, c))
			l.next = append(l.next, release.Rendered{Key: key, Manifest: manifest(e.version)})
			l.read[key.Namespace] = true
		}
	}
	for _, namespace := range l.was.Namespaces {
		if namespace == c.unreadable && !l.read[namespace] {
			l.unread[namespace] = true
		} else {
			l.read[namespace] = true
		}
	}
	for _, key := range keys {
		if found := h.cluster[key]; found != nil && l.read[key.Namespace] {
			l.have = append(l.have, found.Observed)
			if e := a.helmfile[key]; found.ownedBy(a.name) && (e == nil || c.passedOver && e.second) {
				l.undeclared = append(l.undeclared, key)
			}
		}
	}
	l.all = len(l.want) + len(l.undeclared)
	return l
}

func (h *history) desired(key release.Key, e *entry, c circumstance) release.Desired {
	d := release.Desired{Key: key, State: e.state, Needs: e.needs, Labels: map[string]string{}}
	if e.keep {
		d.Labels[release.PruneLabel] = release.KeepValue
	}
	if c.selector && h.chance(50) {
		d.State = release.Unselected
	}
	return d
}

func (l *look) policy(a *agent, c circumstance) plan.Policy {
	p := plan.Policy{Instance: a.name, Origin: a.origin, Commit: a.revision, AbandonedAfter: minutes(10), Selecting: c.selector, Prune: a.prune}
	if c.passedOver {
		p.PassedOver = []string{"second.yaml"}
	}
	return p
}

// run is one run of an instance, as agent.Run does it. It returns what was to be written.
func (h *history) run(a *agent, c circumstance) []string {
	l := h.look(a, c)
	p := plan.Make(l.want, l.have, l.next, l.was, l.policy(a, c), l.started)
	for _, step := range p.Steps {
		switch step.Verb {
		case plan.Prune:
			l.prunes++
		case plan.Refuse:
			l.refusals++
		}
	}
	h.log = append(h.log, fmt.Sprintf("%s at %s %s: %s", a.name, a.revision[:7], h.now.Format("02 15:04:05"), written(p.Steps)))
	h.count(l, c, p)
	if c.stopped == "at once" {
		return written(p.Changes())
	}
	j := &judge{history: h, agent: a, look: l, circumstance: c}
	outcomes := apply.Do(background, p, j, 1+h.random.IntN(4), slog.New(slog.DiscardHandler))
	h.inspect(l, p, outcomes)
	if c.stopped == "" {
		h.remember(a, l, p, outcomes)
		j.completed()
	}
	return written(p.Changes())
}

func (h *history) remember(a *agent, l *look, p plan.Plan, outcomes []apply.Outcome) {
	done := map[release.Key]bool{}
	for _, o := range outcomes {
		done[o.Key] = o.Result == apply.Done
	}
	memory := p.Memory(l.was, slices.Sorted(maps.Keys(l.unread)), func(key release.Key) bool { return done[key] })
	encoded, err := memory.Encode()
	if err != nil || len(encoded) > release.MemoryLimit {
		h.fail("%d bytes of memory: %v", len(encoded), err)
	}
	h.bounded(a, l, memory)
	a.memory = encoded
}

// bounded checks that nothing is remembered but what is there, or was where nobody could look.
func (h *history) bounded(a *agent, l *look, memory release.Memory) {
	seen := map[release.Key]bool{}
	for _, mark := range memory.Marks {
		owned := slices.Contains(l.undeclared, mark.Key) && h.cluster[mark.Key].ownedBy(a.name)
		if seen[mark.Key] || !owned && !l.unread[mark.Namespace] {
			h.fail("%s remembers the mark %+v", a.name, mark)
		}
		seen[mark.Key] = true
	}
	for needing := range memory.Needs {
		namespace, name, _ := strings.Cut(needing, "/")
		key := release.Key{Namespace: namespace, Name: name}
		if !slices.Contains(keys, key) || h.cluster[key] == nil && a.helmfile[key] == nil && !l.unread[namespace] {
			h.fail("%s remembers what %s needs", a.name, key)
		}
	}
	if !slices.IsSorted(memory.Namespaces) || len(slices.Compact(memory.Namespaces)) > 3 {
		h.fail("%s remembers the namespaces %v", a.name, memory.Namespaces)
	}
}

// inspect checks that every release has exactly one step, and that nothing was pruned beside a failure.
func (h *history) inspect(l *look, p plan.Plan, outcomes []apply.Outcome) {
	seen := map[release.Key]int{}
	for _, key := range l.undeclared {
		seen[key]++
	}
	for _, want := range l.want {
		seen[want.Key]++
	}
	peace, pruned := true, false
	for _, o := range outcomes {
		seen[o.Key]--
		h.happened[string(o.Verb)+" "+string(o.Result)]++
		if o.Verb == plan.Prune {
			pruned = pruned || o.Result != apply.Skipped
		} else {
			peace = peace && o.Result == apply.Done
		}
	}
	for key, n := range seen {
		if n != 0 {
			h.fail("%s has %d steps too few", key, n)
		}
	}
	if pruned && !peace {
		h.fail("pruned beside a failure: %s", written(p.Steps))
	}
}

func (h *history) count(l *look, c circumstance, p plan.Plan) {
	for what, is := range map[string]bool{
		"a selector": c.selector, "a state file passed over": c.passedOver, "a namespace unread": len(l.unread) > 0,
		"stopped " + c.stopped: c.stopped != "",
		"objection: share":     slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return strings.Contains(s.Why, " at once is more than ") }),
	} {
		if is {
			h.note(what)
		}
	}
}

// written are the steps as "verb key" words.
func written(steps []plan.Step) (words []string) {
	for _, s := range steps {
		words = append(words, string(s.Verb)+" "+s.Key.String())
	}
	return words
}
