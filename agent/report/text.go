package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/report/internal/sanitize"
)

// WriteText writes the report for a person: the commit, the error that ended the run early, a table of releases, the errors in
// full, the warnings, and the summary.
func (r Report) WriteText(w io.Writer, style Style) error {
	sections := []string{r.commitLine(), r.missingSandbox(), r.earlyEnd(style), r.grantSection(), r.table(style)}
	sections = append(sections, r.failures(style)...)
	return write(w, append(sections, r.closing(style)...))
}

// write writes all sections with one call, so that a masking writer never gets only a part of a credential.
func write(w io.Writer, sections []string) error {
	sections = slices.DeleteFunc(sections, func(section string) bool { return section == "" })
	_, err := io.WriteString(w, strings.Join(sections, "\n\n")+"\n")
	return err
}

// closing is the end of every report for a person: the warnings and the summary.
func (r Report) closing(style Style) []string {
	summaryColor := green
	if r.Code() != exit.Converged {
		summaryColor = red
	}
	return []string{r.warnings(), style.paint(summaryColor, r.Summary())}
}

// commitLine describes the commit in one line. It is incomplete if the checkout failed.
func (r Report) commitLine() string {
	s := r.Source
	var parts []string
	if s.Commit != "" {
		parts = append(parts, "commit", s.Commit[:min(7, len(s.Commit))])
	}
	if s.Dirty {
		parts = append(parts, "(dirty)")
	}
	if s.Author != "" {
		parts = append(parts, "by", s.Author)
	}
	if !s.Date.IsZero() {
		parts = append(parts, "on", s.Date.UTC().Format(time.RFC3339))
	}
	if s.Subject != "" {
		parts = append(parts, strconv.Quote(s.Subject))
	}
	if s.Repo != "" {
		parts = append(parts, "from", s.Repo)
	}
	if s.Ref != "" {
		parts = append(parts, "at", s.Ref)
	}
	return sanitize.OneLine(strings.Join(parts, " "))
}

// missingSandbox says in one line that the kernel does not protect all that the sandbox needs. The words are those of package sandbox.
func (r Report) missingSandbox() string {
	partly, nothing := strings.HasPrefix(r.Confined, "partly: "), strings.HasPrefix(r.Confined, "nothing: ")
	if !partly && !nothing || r.Confined == "nothing: sandbox is off" {
		return ""
	}
	return sanitize.OneLine("sandbox protects " + r.Confined + "; use Linux 6.12 or later with Landlock")
}

// earlyEnd shows the error that ended the run early, its meaning, and whether a retry can help.
func (r Report) earlyEnd(style Style) string {
	if r.Err == nil {
		return ""
	}
	code := r.Code()
	heading := codeTitle(code)
	advice := "perhaps"
	for _, row := range exit.Table {
		if row.Code == code {
			heading, advice = heading+": "+row.Meaning, row.Retry
		}
	}
	return style.paint(red, heading) + "\n" + sanitize.Indent(r.Err.Error()) + "\nretry? " + advice
}

// failures shows the errors of all releases in full.
func (r Report) failures(style Style) []string {
	var sections []string
	for _, o := range r.sorted() {
		if hasError(o) {
			sections = append(sections, style.paint(red, failureHeading(o))+"\n"+sanitize.Indent(r.reason(o)))
		}
	}
	return sections
}

// failureHeading says what the agent tried, and why. The table shows the error instead of the reason.
func failureHeading(o apply.Outcome) string {
	if statusOf(o) == refused {
		return o.Key.String() + ": refused" + declaredIn(o)
	}
	heading := fmt.Sprintf("%s: %s failed after %s%s", o.Key, o.Verb, shortDuration(o.Took), declaredIn(o))
	if o.Why != "" {
		heading += ": " + sanitize.OneLine(o.Why)
	}
	return heading
}

func declaredIn(o apply.Outcome) string {
	if o.Want == nil || o.Want.File == "" {
		return ""
	}
	return " (" + sanitize.OneLine(o.Want.File) + ")"
}

func (r Report) warnings() string {
	lines := make([]string, len(r.Warnings))
	for i, warning := range r.Warnings {
		lines[i] = "warning: " + sanitize.OneLine(warning)
	}
	return strings.Join(lines, "\n")
}

// shortDuration rounds a duration: to seconds if it is at least 10 s, to tenths if it is at least 1 s, otherwise to milliseconds.
func shortDuration(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}
