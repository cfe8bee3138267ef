package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Right is what is done with one kind of object in one namespace: verbs, by whether they are allowed.
type Right struct {
	Namespace string   `json:"namespace"` // empty for what is cluster-scoped
	Resource  string   `json:"resource"`  // deployments.apps; configmaps/NAME for a single object
	Allowed   []string `json:"allowed"`
	Missing   []string `json:"missing"`
	Optional  []string `json:"optional"` // not allowed either, but the agent can do without
	For       []string `json:"for"`      // releases, or what else needs it
}

// WriteAccess tells a person what the agent may do of what it needs, and what would grant the rest.
func (r Report) WriteAccess(w io.Writer, style Style) error {
	sections := []string{r.commit(), r.rights(style), r.grant()}
	if r.Rights == nil {
		sections = append(sections, r.ending(style))
	}
	return write(w, append(sections, r.closing(style)...))
}

// WriteRoles is only what kubectl apply takes.
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
	columns.Flush() // a strings.Builder takes everything
	lines := strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
	for i, right := range r.Rights {
		lines[i+1] = style.paint(right.color(), strings.TrimRight(lines[i+1], " "))
	}
	return r.hidden(strings.Join(lines, "\n"))
}

func (r Right) cells() []string {
	missing := append([]string{}, r.Missing...)
	for _, verb := range r.Optional {
		missing = append(missing, "("+verb+")")
	}
	cells := []string{r.Namespace, r.Resource, strings.Join(r.Allowed, " "), strings.Join(missing, " "), someOf(r.For)}
	for i, cell := range cells {
		if cells[i] = oneLine(cell); cells[i] == "" {
			cells[i] = "-"
		}
	}
	return cells
}

// someOf is the first of a list, and how many more there are.
func someOf(list []string) string {
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

// grant is what to hand to whoever may grant it.
func (r Report) grant() string {
	if r.Grant == "" {
		return ""
	}
	return "This grants what is missing (kubectl apply --filename):\n\n" + strings.TrimSpace(clean(r.Grant))
}

// rightsCounted is "rights: 38 needed, 5 missing"; what the agent can do without is not counted.
func (r Report) rightsCounted() string {
	needed, missing := 0, 0
	for _, right := range r.Rights {
		needed += len(right.Allowed) + len(right.Missing)
		missing += len(right.Missing)
	}
	if r.Rights == nil {
		return "no right asked for"
	}
	return fmt.Sprintf("rights: %d needed, %d missing", needed, missing)
}
