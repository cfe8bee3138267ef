package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
)

// table has a row for each release worth one.
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
	columns.Flush() // a strings.Builder takes everything
	return painted(text.String(), rows, style)
}

// painted colours whole rows, and only when they are laid out: tabwriter would count the escapes as text.
func painted(table string, rows []apply.Outcome, style Style) string {
	lines := strings.Split(strings.TrimRight(table, "\n"), "\n")
	for i, o := range rows {
		lines[i+1] = style.paint(colorOf(o), lines[i+1])
	}
	return strings.Join(lines, "\n")
}

// rows leaves out what was left alone, unless there is nothing else to show.
func (r Report) rows() []apply.Outcome {
	all := r.sorted()
	rows := slices.DeleteFunc(slices.Clone(all), leftAlone)
	if len(rows) == 0 {
		return all
	}
	return rows
}

func leftAlone(o apply.Outcome) bool {
	fate := fateOf(o)
	return fate == disabled || fate == unselected
}

func (r Report) cells(o apply.Outcome) []string {
	revision := "-"
	if n := r.revision(o); n > 0 {
		revision = strconv.Itoa(n)
	}
	cells := []string{o.Namespace, o.Name, r.word(o), revision, chartName(chartOf(o)), headline(r.reason(o))}
	for i, cell := range cells {
		cells[i] = oneLine(cell)
	}
	return cells
}
