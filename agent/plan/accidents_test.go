package plan_test

import (
	"context"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

var background = context.Background()

// accidents happen between two runs.
var accidents = []struct {
	name string
	to   func(*history, *agent)
}{
	// Commits.
	{"add", commit(func(h *history, a *agent) { h.add(a) })},
	{"remove", commit(func(h *history, a *agent) { delete(a.helmfile, h.declared(a)) })},
	{"remove more", commit(func(h *history, a *agent) { delete(a.helmfile, h.declared(a)); delete(a.helmfile, h.declared(a)) })},
	{"rename", commit(func(h *history, a *agent) {
		h.move(a, func(key *release.Key) { key.Name = pick(h.random, "a", "b", "c", "d") })
	})},
	{"move", commit(func(h *history, a *agent) {
		h.move(a, func(key *release.Key) { key.Namespace = pick(h.random, "data", "misc", ownNamespace) })
	})},
	{"change", change(func(h *history, e *entry) { e.version++ })},
	{"condition", change(func(_ *history, e *entry) { e.state = pickOther(e.state, release.Disabled) })},
	{"installed: false", change(func(_ *history, e *entry) { e.state = pickOther(e.state, release.Absent) })},
	{"keep", change(func(_ *history, e *entry) { e.keep = !e.keep })},
	{"empty", commit(func(_ *history, a *agent) { clear(a.helmfile) })},
	{"revert", func(h *history, a *agent) { before := a.before; h.commit(a, func() { a.helmfile = before }) }},

	// Settings.
	{"another origin", func(h *history, a *agent) { a.origin = pick(h.random, "origin of "+a.name, "elsewhere") }},
	{"back to the origin", func(_ *history, a *agent) { a.origin = "origin of " + a.name }},
	{"another mode", func(h *history, a *agent) { a.prune.Mode = pick(h.random, plan.Off, plan.ReportOnly) }},
	{"back to two steps", func(_ *history, a *agent) { a.prune.Mode = plan.TwoStep }},
	{"another grace", func(h *history, a *agent) { a.prune.Grace = pick(h.random, 0, 0, minutes(5), minutes(30)) }},
	{"another share", func(h *history, a *agent) { a.prune.MaxShare = pick(h.random, 0, 20, 34, 50, 100) }},
	{"allow", func(_ *history, a *agent) { a.prune.Allow = a.revision }},

	// By hand.
	{"uninstalled by hand", byHand(func(h *history, f *found) { delete(h.cluster, f.Key) })},
	{"uninstalled by hand, its history kept", byHand(func(_ *history, f *found) { f.Status = "uninstalled" })},
	{"upgraded by hand", byHand(func(h *history, f *found) {
		if f.installed() {
			h.revise(f.Key, pick(h.random, "deployed", "failed"), f.Owner, h.random.IntN(3))
		}
	})},
	{"reinstalled by hand", byHand(func(h *history, f *found) {
		owner := f.Owner
		delete(h.cluster, f.Key)
		h.revise(f.Key, "deployed", owner, h.random.IntN(3))
	})},
	{"taken over", byHand(func(h *history, f *found) {
		f.Owner = release.Owner{Instance: pick(h.random, "A", "B"), Origin: pick(h.random, "origin of A", "origin of B")}
	})},
	{"labels lost", byHand(func(_ *history, f *found) { f.Owner = release.Owner{} })},
	{"annotated", byHand(func(_ *history, f *found) { f.KeptByHand = true })},
	{"annotation taken away", byHand(func(_ *history, f *found) { f.KeptByHand = false })},
	{"installed by hand", func(h *history, _ *agent) {
		if key := pick(h.random, keys...); h.cluster[key] == nil {
			h.revise(key, "deployed", release.Owner{}, h.random.IntN(3))
		}
	}},

	// The memory.
	{"memory lost", forgetting(func(*history, string) string { return "" })},
	{"memory cut", forgetting(func(h *history, memory string) string { return memory[:h.random.IntN(len(memory))] })},
	{"memory of the future", forgetting(func(*history, string) string { return `{"version":2,"marks":[]}` })},
	{"memory of nonsense", forgetting(func(h *history, _ string) string {
		return pick(h.random, "null", "[]", `{"version":1,"marks":7}`, "\x00")
	})},

	// Time.
	{"the clock jumps ahead", func(h *history, _ *agent) { h.pass(time.Duration(h.random.IntN(100)) * time.Hour) }},
	{"the clock jumps back", func(h *history, _ *agent) { h.pass(-time.Duration(h.random.IntN(100)) * time.Hour) }},
	{"the clock jumps back a little", func(h *history, _ *agent) { h.pass(-minutes(h.random.IntN(60))) }},
}

func commit(change func(*history, *agent)) func(*history, *agent) {
	return func(h *history, a *agent) { h.commit(a, func() { change(h, a) }) }
}

func change(change func(*history, *entry)) func(*history, *agent) {
	return commit(func(h *history, a *agent) { change(h, a.helmfile[h.declared(a)]) })
}

func pickOther(state, other release.State) release.State {
	if state == other {
		return release.Installed
	}
	return other
}

func (h *history) move(a *agent, change func(*release.Key)) {
	from := h.declared(a)
	to := from
	change(&to)
	e := *a.helmfile[from]
	e.needs = nil // or there could be a circle, which helmfile refuses to load
	delete(a.helmfile, from)
	a.helmfile[to] = &e
}

func byHand(do func(*history, *found)) func(*history, *agent) {
	return func(h *history, _ *agent) {
		if f := h.there(); f != nil {
			h.log = append(h.log, "    "+f.Key.String())
			do(h, f)
		}
	}
}

// forgetting is an accident to the memory, if there is one. What the test knows goes with it.
func forgetting(change func(*history, string) string) func(*history, *agent) {
	return func(h *history, a *agent) {
		if a.memory == "" {
			return
		}
		a.memory = change(h, a.memory)
		clear(a.sightings)
		a.known = map[string]bool{}
	}
}
