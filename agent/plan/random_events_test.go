package plan_test

import (
	"context"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

var background = context.Background()

// randomEvents can happen between two runs.
var randomEvents = []struct {
	name string
	to   func(*simulation, *agent)
}{
	// Commits.
	{"add", commit(func(sim *simulation, a *agent) { sim.add(a) })},
	{"remove", commit(func(sim *simulation, a *agent) { delete(a.helmfile, sim.anyDeclared(a)) })},
	{"remove more", commit(func(sim *simulation, a *agent) {
		delete(a.helmfile, sim.anyDeclared(a))
		delete(a.helmfile, sim.anyDeclared(a))
	})},
	{"rename", commit(func(sim *simulation, a *agent) {
		sim.move(a, func(key *release.Key) { key.Name = pick(sim.random, "a", "b", "c", "d") })
	})},
	{"move", commit(func(sim *simulation, a *agent) {
		sim.move(a, func(key *release.Key) { key.Namespace = pick(sim.random, "data", "misc", ownNamespace) })
	})},
	{"change", change(func(sim *simulation, e *entry) { e.version++ })},
	{"condition", change(func(_ *simulation, e *entry) { e.state = pickOther(e.state, release.Disabled) })},
	{"installed: false", change(func(_ *simulation, e *entry) { e.state = pickOther(e.state, release.Absent) })},
	{"keep", change(func(_ *simulation, e *entry) { e.keep = !e.keep })},
	{"empty", commit(func(_ *simulation, a *agent) { clear(a.helmfile) })},
	{"revert", func(sim *simulation, a *agent) { before := a.before; sim.commit(a, func() { a.helmfile = before }) }},

	// Settings.
	{"another origin", func(sim *simulation, a *agent) { a.origin = pick(sim.random, "origin of "+a.name, "elsewhere") }},
	{"back to the origin", func(_ *simulation, a *agent) { a.origin = "origin of " + a.name }},
	{"another mode", func(sim *simulation, a *agent) { a.prune.Mode = pick(sim.random, plan.Off, plan.ReportOnly) }},
	{"back to two-step pruning", func(_ *simulation, a *agent) { a.prune.Mode = plan.TwoStep }},
	{"another grace", func(sim *simulation, a *agent) { a.prune.Grace = pick(sim.random, 0, 0, minutes(5), minutes(30)) }},
	{"another maximum share", func(sim *simulation, a *agent) { a.prune.MaxShare = pick(sim.random, 0, 20, 34, 50, 100) }},
	{"allow", func(_ *simulation, a *agent) { a.prune.Allow = a.revision }},

	// Changes by other clients.
	{"uninstalled by hand", outsideChange(func(sim *simulation, f *found) { delete(sim.cluster, f.Key) })},
	{"uninstalled by hand with --keep-history", outsideChange(func(_ *simulation, f *found) { f.Status = "uninstalled" })},
	{"upgraded by hand", outsideChange(func(sim *simulation, f *found) {
		if f.installed() {
			sim.addRevision(f.Key, pick(sim.random, "deployed", "failed"), f.Owner, sim.random.IntN(3))
		}
	})},
	{"reinstalled by hand", outsideChange(func(sim *simulation, f *found) {
		owner := f.Owner
		delete(sim.cluster, f.Key)
		sim.addRevision(f.Key, "deployed", owner, sim.random.IntN(3))
	})},
	{"taken over", outsideChange(func(sim *simulation, f *found) {
		f.Owner = release.Owner{Instance: pick(sim.random, "A", "B"), Origin: pick(sim.random, "origin of A", "origin of B")}
	})},
	{"labels lost", outsideChange(func(_ *simulation, f *found) { f.Owner = release.Owner{} })},
	{"annotated", outsideChange(func(_ *simulation, f *found) { f.KeptByHand = true })},
	{"annotation removed", outsideChange(func(_ *simulation, f *found) { f.KeptByHand = false })},
	{"installed by hand", func(sim *simulation, _ *agent) {
		if key := pick(sim.random, keys...); sim.cluster[key] == nil {
			sim.addRevision(key, "deployed", release.Owner{}, sim.random.IntN(3))
		}
	}},

	// The state.
	{"state lost", stateChange(func(*simulation, string) string { return "" })},
	{"state truncated", stateChange(func(sim *simulation, state string) string { return state[:sim.random.IntN(len(state))] })},
	{"state of a newer version", stateChange(func(*simulation, string) string { return `{"version":2,"marks":[]}` })},
	{"state unreadable", stateChange(func(sim *simulation, _ string) string {
		return pick(sim.random, "null", "[]", `{"version":1,"marks":7}`, "\x00")
	})},

	// Time.
	{"the clock jumps ahead", func(sim *simulation, _ *agent) { sim.advanceClock(time.Duration(sim.random.IntN(100)) * time.Hour) }},
	{"the clock jumps back", func(sim *simulation, _ *agent) { sim.advanceClock(-time.Duration(sim.random.IntN(100)) * time.Hour) }},
	{"the clock jumps back a little", func(sim *simulation, _ *agent) { sim.advanceClock(-minutes(sim.random.IntN(60))) }},
}

func commit(change func(*simulation, *agent)) func(*simulation, *agent) {
	return func(sim *simulation, a *agent) { sim.commit(a, func() { change(sim, a) }) }
}

func change(change func(*simulation, *entry)) func(*simulation, *agent) {
	return commit(func(sim *simulation, a *agent) { change(sim, a.helmfile[sim.anyDeclared(a)]) })
}

func pickOther(state, other release.DesiredState) release.DesiredState {
	if state == other {
		return release.Installed
	}
	return other
}

func (sim *simulation) move(a *agent, change func(*release.Key)) {
	from := sim.anyDeclared(a)
	to := from
	change(&to)
	e := *a.helmfile[from]
	e.needs = nil // otherwise there could be a cycle, which helmfile refuses to load
	delete(a.helmfile, from)
	a.helmfile[to] = &e
}

func outsideChange(do func(*simulation, *found)) func(*simulation, *agent) {
	return func(sim *simulation, _ *agent) {
		if f := sim.anyInstalled(); f != nil {
			sim.log = append(sim.log, "    "+f.Key.String())
			do(sim, f)
		}
	}
}

// stateChange damages the saved state, if there is one. The test then resets its own knowledge about marks, too.
func stateChange(change func(*simulation, string) string) func(*simulation, *agent) {
	return func(sim *simulation, a *agent) {
		if a.state == "" {
			return
		}
		a.state = change(sim, a.state)
		clear(a.sightings)
		a.known = map[string]bool{}
	}
}
