package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// NextState returns the state to save after the plan was applied. The function done says whether the step of a release was
// done. The agent could not read the unreadable namespaces: NextState keeps what the previous state says about them.
func (p Plan) NextState(previous release.InstanceState, unreadable []string, done func(release.Key) bool) release.InstanceState {
	next := stateOfUnread(previous, unreadable)
	next.Corrected = p.correctionCounts(previous, done)
	for _, step := range p.Steps {
		if !step.ownedAfter(done(step.Key)) {
			continue
		}
		next.Namespaces = append(next.Namespaces, step.Namespace)
		if needs := step.needs(previous); len(needs) > 0 {
			next.Needs[step.Key.String()] = needs
		}
		if record, known := step.recordToSave(previous); known {
			next.SetRecord(step.Key, record)
		}
		if record, known := step.lastDeployed(); known {
			next.SetDeployed(step.Key, record)
		}
		if mark, marked := step.nextMark(); marked {
			next.Marks = append(next.Marks, mark)
		}
	}
	slices.Sort(next.Namespaces)
	next.Namespaces = slices.Compact(next.Namespaces)
	slices.SortFunc(next.Marks, func(a, b release.Mark) int { return cmp.Or(a.Since.Compare(b.Since), a.Key.Compare(b.Key)) })
	return next
}

// stateOfUnread returns the part of the previous state that is about unreadable namespaces.
func stateOfUnread(previous release.InstanceState, unreadable []string) release.InstanceState {
	state := release.InstanceState{Needs: map[string][]release.Key{}}
	for _, namespace := range previous.Namespaces {
		if slices.Contains(unreadable, namespace) {
			state.Namespaces = append(state.Namespaces, namespace)
		}
	}
	for _, mark := range previous.Marks {
		if slices.Contains(state.Namespaces, mark.Namespace) {
			state.Marks = append(state.Marks, mark)
		}
	}
	for key, needs := range previous.Needs {
		if namespace, _, _ := strings.Cut(key, "/"); slices.Contains(state.Namespaces, namespace) {
			state.Needs[key] = needs
		}
	}
	for key, record := range previous.Records {
		if namespace, name, _ := strings.Cut(key, "/"); slices.Contains(state.Namespaces, namespace) {
			state.SetRecord(release.Key{Namespace: namespace, Name: name}, record)
		}
	}
	for key, record := range previous.Deployed {
		if namespace, name, _ := strings.Cut(key, "/"); slices.Contains(state.Namespaces, namespace) {
			state.SetDeployed(release.Key{Namespace: namespace, Name: name}, record)
		}
	}
	return state
}

// ownedAfter says whether the instance may own a revision of the release after the step. A failed install or upgrade counts,
// because Helm records failed revisions.
func (s Step) ownedAfter(done bool) bool {
	switch s.Verb {
	case Install, Upgrade, Adopt, Relabel:
		return true
	case Uninstall, Prune:
		return !done && s.Owned()
	default:
		return s.Owned() && installed(s.Have)
	}
}

// needs returns the needs of a declared release, or the saved ones of a release that is no longer declared.
func (s Step) needs(previous release.InstanceState) []release.Key {
	if s.Want != nil {
		return s.Want.Needs
	}
	return previous.Needs[s.Key.String()]
}

// recordToSave returns the record to save if the step writes no new one. An unproven record does not replace the saved one.
// The records that the run writes are added by the Writer.
func (s Step) recordToSave(previous release.InstanceState) (release.Record, bool) {
	if s.Proven() && s.Have.Digest != "" {
		return release.Record{Revision: s.Have.Revision, Digest: s.Have.Digest}, true
	}
	record, known := previous.Records[s.Key.String()]
	return record, known
}

// lastDeployed returns the newest proven record of a deployed revision.
func (s Step) lastDeployed() (release.Record, bool) {
	switch {
	case s.Have == nil:
		return release.Record{}, false
	case s.Have.Status == "deployed" && s.Proven() && s.Have.Digest != "":
		return release.Record{Revision: s.Have.Revision, Digest: s.Have.Digest}, true
	default:
		return s.Have.LastDeployed, s.Have.LastDeployed != release.Record{}
	}
}

// nextMark returns the mark of the release after this run. A release that is declared again has no mark.
func (s Step) nextMark() (release.Mark, bool) {
	switch {
	case s.Want != nil:
		return release.Mark{}, false
	case s.NewMark != nil:
		return *s.NewMark, true
	case s.Mark != nil:
		mark := *s.Mark
		mark.Runs++
		return mark, true
	default:
		return release.Mark{}, false
	}
}

// correctionCounts counts the consecutive runs that corrected each drift. A drift that this run did not correct starts again at
// zero.
func (p Plan) correctionCounts(previous release.InstanceState, done func(release.Key) bool) map[string]int {
	var counts map[string]int
	for _, step := range p.Steps {
		if step.Verb != Correct || !done(step.Key) {
			continue
		}
		for _, drift := range step.ToCorrect {
			if counts == nil {
				counts = map[string]int{}
			}
			counts[drift.Identity(step.Key)] = previous.Corrected[drift.Identity(step.Key)] + 1
		}
	}
	return counts
}
