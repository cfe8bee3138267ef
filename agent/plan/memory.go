package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Memory is what to remember when the plan has been worked through: done says of a release whether its step was. Unread
// are namespaces that could not be looked into: what was known of them stays known.
func (p Plan) Memory(was release.Memory, unread []string, done func(release.Key) bool) release.Memory {
	m := unseen(was, unread)
	m.Corrected = p.corrected(was, done)
	for _, step := range p.Steps {
		if !step.owned(done(step.Key)) {
			continue
		}
		m.Namespaces = append(m.Namespaces, step.Namespace)
		if needs := step.needs(was); len(needs) > 0 {
			m.Needs[step.Key.String()] = needs
		}
		if record, known := step.record(was); known {
			m.Note(step.Key, record)
		}
		if record, known := step.lastDeployed(); known {
			m.NoteDeployed(step.Key, record)
		}
		if mark, marked := step.nextMark(); marked {
			m.Marks = append(m.Marks, mark)
		}
	}
	slices.Sort(m.Namespaces)
	m.Namespaces = slices.Compact(m.Namespaces)
	slices.SortFunc(m.Marks, func(a, b release.Mark) int { return cmp.Or(a.Since.Compare(b.Since), a.Key.Compare(b.Key)) })
	return m
}

// unseen is what was known of the namespaces that could not be looked into.
func unseen(was release.Memory, unread []string) release.Memory {
	m := release.Memory{Needs: map[string][]release.Key{}}
	for _, namespace := range was.Namespaces {
		if slices.Contains(unread, namespace) {
			m.Namespaces = append(m.Namespaces, namespace)
		}
	}
	for _, mark := range was.Marks {
		if slices.Contains(m.Namespaces, mark.Namespace) {
			m.Marks = append(m.Marks, mark)
		}
	}
	for key, needs := range was.Needs {
		if namespace, _, _ := strings.Cut(key, "/"); slices.Contains(m.Namespaces, namespace) {
			m.Needs[key] = needs
		}
	}
	for key, record := range was.Records {
		if namespace, name, _ := strings.Cut(key, "/"); slices.Contains(m.Namespaces, namespace) {
			m.Note(release.Key{Namespace: namespace, Name: name}, record)
		}
	}
	for key, record := range was.Deployed {
		if namespace, name, _ := strings.Cut(key, "/"); slices.Contains(m.Namespaces, namespace) {
			m.NoteDeployed(release.Key{Namespace: namespace, Name: name}, record)
		}
	}
	return m
}

// owned says whether the release may be there and the instance's own after the step. What could not be installed or upgraded
// may be: Helm records revisions that failed.
func (s Step) owned(done bool) bool {
	switch s.Verb {
	case Install, Upgrade, Adopt, Relabel:
		return true
	case Uninstall, Prune:
		return !done && s.Owned()
	default:
		return s.Owned() && installed(s.Have)
	}
}

// needs are those of a declared release, or what was known of one that no longer is.
func (s Step) needs(was release.Memory) []release.Key {
	if s.Want != nil {
		return s.Want.Needs
	}
	return was.Needs[s.Key.String()]
}

// record is what to remember of the newest record, if the step writes no new one. An unproven record does not replace the
// remembered one. The Writer knows the records that it wrote.
func (s Step) record(was release.Memory) (release.Record, bool) {
	if s.Proven() && s.Have.Digest != "" {
		return release.Record{Revision: s.Have.Revision, Digest: s.Have.Digest}, true
	}
	record, known := was.Records[s.Key.String()]
	return record, known
}

// lastDeployed is the newest proven record of a deployed revision, as far as it is known.
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

// nextMark is the mark that an orphan bears from now on. One that is declared again bears none.
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

// corrected counts on for what was corrected now; whatever was not is no fight any more.
func (p Plan) corrected(was release.Memory, done func(release.Key) bool) map[string]int {
	var counts map[string]int
	for _, step := range p.Steps {
		if step.Verb != Correct || !done(step.Key) {
			continue
		}
		for _, drift := range step.ToCorrect {
			if counts == nil {
				counts = map[string]int{}
			}
			counts[drift.Identity(step.Key)] = was.Corrected[drift.Identity(step.Key)] + 1
		}
	}
	return counts
}
