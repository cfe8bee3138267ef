package settings

import (
	"regexp"
	"slices"
	"strings"
)

// serviceLink matches the variables that Kubernetes sets in every container when the namespace has a Service called helmfile-agent or
// helmfile-agent-something.
var serviceLink = regexp.MustCompile(`^HELMFILE_AGENT_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// FromEnviron reads the HELMFILE_AGENT_* variables. It ignores empty variables, because templates of manifests often produce them.
func (t Table) FromEnviron(environ []string) (entries []Entry, problems Problems) {
	for _, variable := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(variable, "=")
		if !IsVariable(name) {
			continue
		}
		s, known := t.find(func(s Setting) bool { return s.Variable() == name })
		switch {
		case known && value != "":
			entries = append(entries, Entry{s, s.items(value), Source{EnvironmentRank, "environment " + name}})
		case !known && !serviceLink.MatchString(name):
			problems = append(problems, Problem{"environment " + name, "is not a known variable: " + t.didYouMean(name, Setting.Variable)})
		}
	}
	return entries, problems
}

// items splits the value of a list into its items. Any other value is one item.
func (s Setting) items(value string) []string {
	if s.Kind != List {
		return []string{value}
	}
	separates := func(r rune) bool { return r == '\n' || s.CommaSeparated && r == ',' }
	var items []string
	for _, item := range strings.FieldsFunc(value, separates) {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
