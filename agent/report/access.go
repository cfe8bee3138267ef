package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/helmfile-agent/helmfile-agent/agent/report/internal/sanitize"
)

// Right lists the verbs that the agent needs for one kind of object in one namespace, divided into allowed and missing ones.
type Right struct {
	Namespace string   `json:"namespace"` // empty for cluster-scoped objects
	Resource  string   `json:"resource"`  // deployments.apps; configmaps/NAME for a single object
	Allowed   []string `json:"allowed"`
	Missing   []string `json:"missing"`
	Optional  []string `json:"optional"` // not allowed, but the agent can work without these
	For       []string `json:"for"`      // the releases or the purposes that need it
}

// WriteAccess writes for a person which of the needed rights the agent has, and a Role that grants the missing ones.
func (r Report) WriteAccess(w io.Writer, style Style) error {
	sections := []string{r.commitLine(), r.rights(style), r.grantSection()}
	if r.Rights == nil {
		sections = append(sections, r.earlyEnd(style))
	}
	return write(w, append(sections, r.closing(style)...))
}

// WriteRoles writes only the YAML for kubectl apply.
func (r Report) WriteRoles(w io.Writer) error {
	_, err := io.WriteString(w, r.Grant)
	return err
}

func (r Report) rights(style Style) string {
	if len(r.Rights) == 0 {
		return ""
	}
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(columns, "NAMESPACE\tRESOURCE\tALLOWED\tMISSING\tFOR")
	for _, right := range r.Rights {
		fmt.Fprintln(columns, strings.Join(right.cells(), "\t"))
	}
	_ = columns.Flush() // cannot fail: a strings.Builder returns no errors
	lines := strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
	for i, right := range r.Rights {
		lines[i+1] = style.paint(right.color(), strings.TrimRight(lines[i+1], " "))
	}
	return r.maskText(strings.Join(lines, "\n"))
}

func (r Right) cells() []string {
	missing := append([]string{}, r.Missing...)
	for _, verb := range r.Optional {
		missing = append(missing, "("+verb+")")
	}
	cells := []string{r.Namespace, r.Resource, strings.Join(r.Allowed, " "), strings.Join(missing, " "), firstAndCount(r.For)}
	for i, cell := range cells {
		if cells[i] = sanitize.OneLine(cell); cells[i] == "" {
			cells[i] = "-"
		}
	}
	return cells
}

// firstAndCount returns the first item of a list and the number of the others.
func firstAndCount(list []string) string {
	if len(list) <= 1 {
		return strings.Join(list, "")
	}
	return fmt.Sprintf("%s and %d more", list[0], len(list)-1)
}

func (r Right) color() color {
	if len(r.Missing) > 0 {
		return red
	}
	return plain
}

// grantSection is the YAML to give to a person who can grant the rights.
func (r Report) grantSection() string {
	if r.Grant == "" {
		return ""
	}
	return "To grant the missing rights, apply this with kubectl apply --filename:\n\n" + strings.TrimSpace(sanitize.RemoveControls(r.Grant))
}

// rightsSummary is "rights: 38 needed, 5 missing". It does not count optional rights.
func (r Report) rightsSummary() string {
	needed, missing := 0, 0
	for _, right := range r.Rights {
		needed += len(right.Allowed) + len(right.Missing)
		missing += len(right.Missing)
	}
	if r.Rights == nil {
		return "no rights checked"
	}
	return fmt.Sprintf("rights: %d needed, %d missing", needed, missing)
}
