package config

import (
	"regexp"
	"slices"
	"strings"
)

// serviceLink matches the variables that Kubernetes itself puts into every container when a Service in the namespace is
// called helmfile-agent, or helmfile-agent-something.
var serviceLink = regexp.MustCompile(`^HELMFILE_AGENT_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// fromEnviron are the settings given as HELMFILE_AGENT_* variables. An empty variable counts as not given: templates
// leave such behind.
func fromEnviron(environ []string) (given []setting, wrong problems) {
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, variablePrefix) {
			continue
		}
		k, known := find(func(k key) bool { return k.variable() == name })
		switch {
		case known && value != "":
			given = append(given, setting{k, k.items(value), origin{environmentRank, "environment " + name}})
		case !known && !serviceLink.MatchString(name):
			wrong = append(wrong, problem{"environment " + name, "is not a known variable: " + didYouMean(name, key.variable)})
		}
	}
	return given, wrong
}

// items cuts a variable's value into a list's items; a scalar is one item.
func (k key) items(value string) []string {
	if k.kind != list {
		return []string{value}
	}
	separates := func(r rune) bool { return r == '\n' || k.comma && r == ',' }
	var items []string
	for _, item := range strings.FieldsFunc(value, separates) {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
