package rbac

import (
	"fmt"
	"slices"
	"strings"
)

// right is one verb for one resource, as a Role can grant it.
type right struct{ verb, group, resource, namespace, name string }

// anyName is the same right to objects of any name.
func (r right) anyName() right {
	r.name = ""
	return r
}

// named says whether a Role can grant the right for a single object. It cannot for create, because the object has no name yet.
func (r right) named() bool { return r.name != "" && r.verb != "create" }

func (r right) String() string {
	if r.namespace == "" {
		return fmt.Sprintf("%s %s (cluster-scoped)", r.verb, r.kind())
	}
	return fmt.Sprintf("%s %s in namespace %s", r.verb, r.kind(), r.namespace)
}

// kind is the resource as kubectl names it, such as deployments.apps.
func (r right) kind() string {
	if r.group == "" {
		return r.resource
	}
	return r.resource + "." + r.group
}

// purposes maps each right to the releases, or other purposes, that need it.
type purposes map[right][]string

func (p purposes) add(purpose string, rights ...right) {
	for _, need := range rights {
		p[need] = append(p[need], purpose)
	}
}

func (p purposes) lines() []string {
	lines := make([]string, 0, len(p))
	for need, needers := range p {
		slices.Sort(needers)
		lines = append(lines, fmt.Sprintf("%s (for %s)", need, strings.Join(slices.Compact(needers), ", ")))
	}
	slices.Sort(lines)
	return lines
}
