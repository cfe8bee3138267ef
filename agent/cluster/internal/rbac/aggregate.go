package rbac

import (
	"cmp"
	"context"
	"maps"
	"slices"
)

// demand joins the same right of several releases: to objects of any name, or to the named ones.
type demand struct {
	needed bool
	any    bool // a release needs it for objects of any name
	names  []string
	by     []string // the releases, or other purposes, that need it
}

// demandsOf joins the rights to objects of one kind. Rights to the agent's own objects stay separate.
func demandsOf(needs purposes, needed bool, own func(right) bool) map[right]*demand {
	demands := map[right]*demand{}
	for need, by := range needs {
		key := need.anyName()
		if own(need) {
			key = need
		}
		d := demands[key]
		if d == nil {
			d = &demand{needed: needed}
			demands[key] = d
		}
		d.by = append(d.by, by...)
		if need.named() {
			d.names = append(d.names, need.name)
		} else {
			d.any = true
		}
	}
	return demands
}

// refusedDemands asks about each verb and kind first, and about single objects only where the answer is no.
func (r *Reviewer) refusedDemands(ctx context.Context, demands map[right]*demand) ([]right, error) {
	anyName := map[right]bool{}
	for key := range demands {
		anyName[key.anyName()] = true
	}
	refused, err := r.refused(ctx, slices.Collect(maps.Keys(anyName)))
	if err != nil {
		return nil, err
	}
	doubtful := slices.DeleteFunc(slices.Collect(maps.Keys(demands)), func(key right) bool { return !slices.Contains(refused, key.anyName()) })
	return r.filterRights(ctx, doubtful, func(ctx context.Context, key right) (bool, error) { return r.anyRefused(ctx, key, demands[key]) })
}

// anyRefused asks about single objects until the API server refuses one.
func (r *Reviewer) anyRefused(ctx context.Context, key right, d *demand) (bool, error) {
	if d.any {
		return true, nil
	}
	for _, name := range d.names {
		key.name = name
		if allowed, err := r.allowed(ctx, key); err != nil || !allowed {
			return true, err
		}
	}
	return false, nil
}

// rulesOf groups the demands by namespace and resource.
func rulesOf(demands map[right]*demand, refused []right) []Rule {
	byObject := map[right]*Rule{}
	for key, d := range demands {
		object := key
		object.verb = ""
		rule := byObject[object]
		if rule == nil {
			rule = newRule(object)
			byObject[object] = rule
		}
		rule.add(key.verb, d, slices.Contains(refused, key))
	}
	all := make([]Rule, 0, len(byObject))
	for _, rule := range byObject {
		all = append(all, rule.sorted())
	}
	slices.SortFunc(all, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Resource, b.Resource))
	})
	return all
}

func newRule(object right) *Rule {
	resource := object.kind()
	if object.name != "" {
		resource += "/" + object.name
	}
	return &Rule{Namespace: object.namespace, Resource: resource}
}

func (r *Rule) add(verb string, d *demand, refused bool) {
	switch {
	case !refused:
		r.Allowed = append(r.Allowed, verb)
	case d.needed:
		r.Missing = append(r.Missing, verb)
	default:
		r.Optional = append(r.Optional, verb)
	}
	r.For = append(r.For, d.by...)
}

func (r *Rule) sorted() Rule {
	slices.Sort(r.For)
	return Rule{r.Namespace, r.Resource, inOrder(r.Allowed), inOrder(r.Missing), inOrder(r.Optional), slices.Compact(r.For)}
}
