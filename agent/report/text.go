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
)

// WriteText tells a person what happened: the commit, what ended the run early, a table of releases, the errors in full,
// the warnings, and the summary.
func (r Report) WriteText(w io.Writer, style Style) error {
	sections := []string{r.commit(), r.ending(style), r.grant(), r.table(style)}
	sections = append(sections, r.failures(style)...)
	return write(w, append(sections, r.closing(style)...))
}

// write puts the sections out at once, so that a masking writer never sees half of a credential.
func write(w io.Writer, sections []string) error {
	sections = slices.DeleteFunc(sections, func(section string) bool { return section == "" })
	_, err := io.WriteString(w, strings.Join(sections, "\n\n")+"\n")
	return err
}

// closing is how every report to a person ends.
func (r Report) closing(style Style) []string {
	tone := green
	if r.Code() != exit.Converged {
		tone = red
	}
	return []string{r.warnings(), style.paint(tone, r.Summary())}
}

// commit says in one line what was deployed; as much of it as is known when the checkout failed.
func (r Report) commit() string {
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
	return oneLine(strings.Join(parts, " "))
}

// ending is what ended the run early, whose turn it is, and whether running again can help.
func (r Report) ending(style Style) string {
	if r.Err == nil {
		return ""
	}
	code := r.Code()
	heading := titled(code)
	advice := "perhaps"
	for _, row := range exit.Table {
		if row.Code == code {
			heading, advice = heading+": "+row.Meaning, row.Retry
		}
	}
	return style.paint(red, heading) + "\n" + indent(r.Err.Error()) + "\nretry? " + advice
}

// failures is the error of each release that has one, in full.
func (r Report) failures(style Style) []string {
	var sections []string
	for _, o := range r.sorted() {
		if broken(o) {
			sections = append(sections, style.paint(red, failure(o))+"\n"+indent(r.reason(o)))
		}
	}
	return sections
}

// failure is a heading that tells what was tried, and why: the table has given that place to the error.
func failure(o apply.Outcome) string {
	if fateOf(o) == refused {
		return o.Key.String() + ": refused" + declaredIn(o)
	}
	heading := fmt.Sprintf("%s: %s failed after %s%s", o.Key, o.Verb, short(o.Took), declaredIn(o))
	if o.Why != "" {
		heading += ": " + oneLine(o.Why)
	}
	return heading
}

func declaredIn(o apply.Outcome) string {
	if o.Want == nil || o.Want.File == "" {
		return ""
	}
	return " (" + oneLine(o.Want.File) + ")"
}

func (r Report) warnings() string {
	lines := make([]string, len(r.Warnings))
	for i, warning := range r.Warnings {
		lines[i] = "warning: " + oneLine(warning)
	}
	return strings.Join(lines, "\n")
}
