package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/report/internal/sanitize"
)

// table lists the releases, see rows.
func (r Report) table(style Style) string {
	rows := r.rows()
	if len(rows) == 0 {
		return ""
	}
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(columns, "NAMESPACE\tRELEASE\tACTION\tREVISION\tCHART\tWHY")
	for _, o := range rows {
		fmt.Fprintln(columns, strings.Join(r.cells(o), "\t"))
	}
	_ = columns.Flush() // cannot fail: a strings.Builder returns no errors
	return colorRows(text.String(), rows, style)
}

// colorRows colours whole rows of the finished table, because tabwriter would count escape sequences as text.
func colorRows(table string, rows []apply.Outcome, style Style) string {
	lines := strings.Split(strings.TrimRight(table, "\n"), "\n")
	for i, o := range rows {
		lines[i+1] = style.paint(colorOf(o), lines[i+1])
	}
	return strings.Join(lines, "\n")
}

// rows leaves out disabled and unselected releases, unless there are no others.
func (r Report) rows() []apply.Outcome {
	all := r.sorted()
	rows := slices.DeleteFunc(slices.Clone(all), untouched)
	if len(rows) == 0 {
		return all
	}
	return rows
}

func untouched(o apply.Outcome) bool {
	status := statusOf(o)
	return status == disabled || status == unselected
}

func (r Report) cells(o apply.Outcome) []string {
	revision := "-"
	if n := r.revision(o); n > 0 {
		revision = strconv.Itoa(n)
	}
	cells := []string{o.Namespace, o.Name, r.statusWord(o), revision, chartName(chartOf(o)), sanitize.ShortError(r.reason(o))}
	for i, cell := range cells {
		cells[i] = sanitize.OneLine(cell)
	}
	return cells
}
