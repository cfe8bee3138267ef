package rbac

import (
	"fmt"
	"slices"
	"strings"
)

// right is one thing that one may be allowed to do.
type right struct{ verb, group, resource, namespace, name string }

// anyName is the same right to objects of any name.
func (r right) anyName() right {
	r.name = ""
	return r
}

// named says whether a Role may grant the right for single objects. What is created has no name yet.
func (r right) named() bool { return r.name != "" && r.verb != "create" }

func (r right) String() string {
	if r.namespace == "" {
		return fmt.Sprintf("%s %s (cluster-scoped)", r.verb, r.kind())
	}
	return fmt.Sprintf("%s %s in namespace %s", r.verb, r.kind(), r.namespace)
}

// kind is how kubectl names the kind of objects that the right is about, such as deployments.apps.
func (r right) kind() string {
	if r.group == "" {
		return r.resource
	}
	return r.resource + "." + r.group
}

// purposes are rights, each with those who need it.
type purposes map[right][]string

func (p purposes) add(who string, rights ...right) {
	for _, need := range rights {
		p[need] = append(p[need], who)
	}
}

func (p purposes) lines() []string {
	lines := make([]string, 0, len(p))
	for need, who := range p {
		slices.Sort(who)
		lines = append(lines, fmt.Sprintf("%s (for %s)", need, strings.Join(slices.Compact(who), ", ")))
	}
	slices.Sort(lines)
	return lines
}
