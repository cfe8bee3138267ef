package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// WriteDiff shows a person what would change: each release that is to be written, with a unified diff of each of its
// objects between the stored revision and the rendered one. Values of Secrets are never shown.
func (r Report) WriteDiff(w io.Writer, style Style) error {
	sections := []string{r.commit(), r.ending(style)}
	for _, o := range r.sorted() {
		if fateOf(o) == unchanged || leftAlone(o) {
			continue
		}
		section, err := r.change(o, style)
		if err != nil {
			return fmt.Errorf("diff %s: %w", o.Key, err)
		}
		sections = append(sections, section)
	}
	return write(w, append(sections, r.closing(style)...))
}

// change is one release's heading, with its reason, and what it comes to.
func (r Report) change(o apply.Outcome, style Style) (string, error) {
	heading := style.paint(colorOf(o), fmt.Sprintf("%s: %s", o.Key, r.word(o)))
	if broken(o) {
		return heading + "\n" + indent(r.reason(o)), nil
	}
	if why := oneLine(r.reason(o)); why != "" {
		heading += ": " + why
	}
	body, err := r.objects(o, style)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(heading+"\n"+body, "\n"), nil
}

// objects are the diffs of all objects that differ.
func (r Report) objects(o apply.Outcome, style Style) (string, error) {
	switch {
	case o.Verb == plan.Correct, o.Verb == plan.Drifted:
		return r.driftedFields(o), nil
	case !o.Verb.Writes(), labelsOnly(o):
		return "", nil
	case !goes(o) && o.Next == nil: // or every object would seem to go
		return "    (not rendered: its objects cannot be compared)", nil
	}
	var text strings.Builder
	for _, pair := range pairs(stored(o), rendered(o), o.Namespace) {
		diff, err := pair.unified(o.Key)
		if err != nil {
			return "", err
		}
		text.WriteString(colored(shortLines(r.hidden(diff)), style))
	}
	if text.Len() == 0 {
		return "    (no object differs)", nil
	}
	return text.String(), nil
}

func stored(o apply.Outcome) release.Manifest {
	if o.Have == nil || o.Verb == plan.Install { // what an earlier, uninstalled revision held is gone
		return nil
	}
	return o.Have.Manifest
}

func rendered(o apply.Outcome) release.Manifest {
	if o.Next == nil || goes(o) {
		return nil
	}
	return o.Next.Manifest
}

// lineLimit is how many bytes of a line are shown: whatever is longer is for machines.
const lineLimit = 400

// shortLines makes every line of a diff one that a terminal can show and a person read.
func shortLines(diff string) string {
	var text strings.Builder
	for line := range strings.Lines(diff) {
		line = visible(strings.TrimSuffix(line, "\n"))
		text.WriteString(cut(line, lineLimit))
		if len(line) > lineLimit {
			fmt.Fprintf(&text, " (%d bytes)", len(line))
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// colored paints each line by its sign, and so the labels too.
func colored(diff string, style Style) string {
	if !style.Color {
		return diff
	}
	lines := strings.Split(strings.TrimSuffix(diff, "\n"), "\n")
	for i, line := range lines {
		lines[i] = style.paint(signed(line), line)
	}
	return strings.Join(lines, "\n") + "\n"
}

func signed(line string) color {
	switch {
	case strings.HasPrefix(line, "-"):
		return red
	case strings.HasPrefix(line, "+"):
		return green
	case strings.HasPrefix(line, "@@"):
		return cyan
	default:
		return plain
	}
}

func goes(o apply.Outcome) bool { return o.Verb == plan.Uninstall || o.Verb == plan.Prune }
