package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/report/internal/objectdiff"
	"github.com/helmfile-agent/helmfile-agent/agent/report/internal/sanitize"
)

// WriteDiff writes for a person what would change: for each release that would be written, a unified diff of each of its objects
// between the stored and the rendered revision. It never shows values of Secrets.
func (r Report) WriteDiff(w io.Writer, style Style) error {
	sections := []string{r.commitLine(), r.earlyEnd(style)}
	for _, o := range r.sorted() {
		if statusOf(o) == unchanged || untouched(o) {
			continue
		}
		section, err := r.releaseDiff(o, style)
		if err != nil {
			return fmt.Errorf("diff %s: %w", o.Key, err)
		}
		sections = append(sections, section)
	}
	return write(w, append(sections, r.closing(style)...))
}

// releaseDiff is the section of one release: a heading with the reason, and the diffs of its objects.
func (r Report) releaseDiff(o apply.Outcome, style Style) (string, error) {
	heading := style.paint(colorOf(o), fmt.Sprintf("%s: %s", o.Key, r.statusWord(o)))
	if hasError(o) {
		return heading + "\n" + sanitize.Indent(r.reason(o)), nil
	}
	if why := sanitize.OneLine(r.reason(o)); why != "" {
		heading += ": " + why
	}
	body, err := r.objectDiffs(o, style)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(heading+"\n"+body, "\n"), nil
}

// objectDiffs are the diffs of all changed objects of a release.
func (r Report) objectDiffs(o apply.Outcome, style Style) (string, error) {
	switch {
	case o.Verb == plan.Correct, o.Verb == plan.Drifted:
		return r.driftedFields(o), nil
	case !o.Verb.Writes(), labelsOnly(o):
		return "", nil
	case !removes(o) && o.Next == nil: // otherwise all objects would look removed
		return "    (not rendered: its objects cannot be compared)", nil
	}
	var text strings.Builder
	for _, pair := range objectdiff.Pairs(stored(o), rendered(o), o.Namespace) {
		diff, err := pair.Unified(o.Key)
		if err != nil {
			return "", err
		}
		text.WriteString(colorDiff(shortLines(r.maskText(diff)), style))
	}
	if text.Len() == 0 {
		return "    (no objects differ)", nil
	}
	return text.String(), nil
}

func stored(o apply.Outcome) release.Manifest {
	if o.Have == nil || o.Verb == plan.Install { // the objects of an earlier, uninstalled revision no longer exist
		return nil
	}
	return o.Have.Manifest
}

func rendered(o apply.Outcome) release.Manifest {
	if o.Next == nil || removes(o) {
		return nil
	}
	return o.Next.Manifest
}

// lineLimit is the number of bytes of a line that are shown.
const lineLimit = 400

// shortLines makes every line of a diff safe for a terminal, and short enough for a person to read.
func shortLines(diff string) string {
	var text strings.Builder
	for line := range strings.Lines(diff) {
		line = sanitize.EscapeControls(strings.TrimSuffix(line, "\n"))
		text.WriteString(sanitize.Cut(line, lineLimit))
		if len(line) > lineLimit {
			fmt.Fprintf(&text, " (%d bytes)", len(line))
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// colorDiff colors each line of a diff, with the two heading lines, by its first character.
func colorDiff(diff string, style Style) string {
	if !style.Color {
		return diff
	}
	lines := strings.Split(strings.TrimSuffix(diff, "\n"), "\n")
	for i, line := range lines {
		lines[i] = style.paint(lineColor(line), line)
	}
	return strings.Join(lines, "\n") + "\n"
}

func lineColor(line string) color {
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

// removes says whether the step uninstalls the release.
func removes(o apply.Outcome) bool { return o.Verb == plan.Uninstall || o.Verb == plan.Prune }
