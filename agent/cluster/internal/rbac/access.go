package rbac

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Reviewer asks the API server about the agent's rights.
type Reviewer struct {
	kube    *kube.Connection
	history *history.History
}

// New asks about releases of the history.
func New(c *kube.Connection, h *history.History) *Reviewer { return &Reviewer{c, h} }

// Access is what the agent may do of all that it needs.
type Access struct {
	Rules []Rule // by namespace and resource
	// Unknown are kinds that neither the cluster nor a declared chart defines: nobody can say what they need.
	Unknown []string
	// Grant is YAML for kubectl apply that would grant what is not allowed; empty if there is nothing.
	Grant string
	// Err is a [MissingRightsError] with exit.Forbidden when something is missing.
	Err error
}

// Rule is what is done with one kind of object in one namespace.
type Rule struct {
	Namespace string // empty for what is cluster-scoped
	Resource  string // such as deployments.apps, or configmaps/NAME for a single object
	Allowed   []string
	Missing   []string
	Optional  []string // not allowed either, but the agent can do without
	For       []string // releases, or what else needs it
}

// Access asks the API server about everything that the releases need over their lives, and about what the agent needs for
// itself. With corrects, drift is to be corrected too. It asks once for each verb, kind and namespace, and about single
// objects only until one is refused.
func (r *Reviewer) Access(ctx context.Context, changes []Change, corrects bool) (Access, error) {
	needed, optional, unknown := r.lives(changes, corrects)
	all := demandsOf(needed, true, r.isOwn)
	for key, d := range demandsOf(optional, false, r.isOwn) {
		if _, also := all[key]; !also {
			all[key] = d
		}
	}
	refused, err := r.refusedDemands(ctx, all)
	if err != nil {
		return Access{}, err
	}
	grant := ""
	if len(refused) > 0 {
		grant = r.grant(refused, r.whoAmI(ctx))
	}
	return Access{Rules: rulesOf(all, refused), Unknown: unknown, Grant: grant, Err: missingRights(all, refused, grant)}, nil
}

// lives are the rights that the releases need, or could do without: those that are declared, and those that are owned and are
// not any more.
func (r *Reviewer) lives(changes []Change, corrects bool) (needed, optional purposes, unknown []string) {
	needed, optional = r.lifetimeRights(), purposes{}
	scopeOf := withFutureKinds(r.kube.ScopeOf, changes)
	for _, change := range slices.Concat(changes, r.undeclared(changes)) {
		key := change.Key.String()
		n := &needs{Change: r.since(change), scopeOf: scopeOf}
		switch change.Action {
		case Lifecycle:
			n.lifecycle(corrects)
			optional.add(key, n.optional(corrects)...)
			unknown = append(unknown, n.unknown()...)
		case Uninstall:
			n.orphaned()
		}
		needed.add(key, n.rights...)
	}
	slices.Sort(unknown)
	return needed, optional, slices.Compact(unknown)
}

// undeclared are the ends of what is owned without being among the changes.
func (r *Reviewer) undeclared(changes []Change) []Change {
	declared := map[release.Key]bool{}
	for _, change := range changes {
		declared[change.Key] = true
	}
	var ends []Change
	for key := range r.history.Keys() {
		if last, _ := r.history.Last(key); !declared[key] && history.OwnerOf(last).Instance == r.kube.Options.Instance {
			ends = append(ends, Change{Key: key, Action: Uninstall})
		}
	}
	return ends
}

// since adds what the newest revision holds. Without a manifest of its own the next one is made of the same.
func (r *Reviewer) since(change Change) Change {
	if last, ok := r.history.Last(change.Key); ok {
		if manifest, err := history.ManifestOf(last); err == nil {
			change.Before = manifest
		}
	}
	if change.After == nil {
		change.After = change.Before
	}
	return change
}

func (n *needs) unknown() []string {
	var kinds []string
	for _, object := range slices.Concat(n.Before, n.After) {
		if _, ok := n.scopeOf(object, n.Namespace); !ok {
			kinds = append(kinds, fmt.Sprintf("%s (%s), in %s", object.Kind, object.APIVersion, n.Key))
		}
	}
	return kinds
}

// missingRights is nil if all that is needed is allowed.
func missingRights(demands map[right]*demand, refused []right, grant string) error {
	missing := purposes{}
	for _, key := range refused {
		if d := demands[key]; d.needed {
			missing[key.anyName()] = append(missing[key.anyName()], d.by...)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return exit.With(exit.Forbidden, &MissingRightsError{message: "the agent may not:\n  " + strings.Join(missing.lines(), "\n  "), grant: grant})
}
