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

// Access says which of the rights that the agent needs it has.
type Access struct {
	Rules []Rule // by namespace and resource
	// Unknown are kinds that neither the cluster nor a declared chart defines. The agent cannot tell which rights they need.
	Unknown []string
	// Grant is YAML for kubectl apply that would grant the missing rights; empty if none is missing.
	Grant string
	// Err is a [MissingRightsError] with exit.Forbidden when something is missing.
	Err error
}

// Rule lists the verbs that the agent uses for one kind of object in one namespace.
type Rule struct {
	Namespace string // empty for what is cluster-scoped
	Resource  string // such as deployments.apps, or configmaps/NAME for a single object
	Allowed   []string
	Missing   []string
	Optional  []string // not allowed, but not required either
	For       []string // the releases, or other purposes, that need it
}

// Access asks the API server about every right that the releases may ever need, and about the rights to the agent's own objects.
// With corrects, it includes the rights to correct drift. It asks once for each verb, kind and namespace, and about single objects only
// until the API server refuses one.
func (r *Reviewer) Access(ctx context.Context, changes []Change, corrects bool) (Access, error) {
	needed, optional, unknown := r.lifecycleRights(changes, corrects)
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

// lifecycleRights returns the rights that the declared releases, and the owned ones that are no longer declared, may ever need, and the
// rights that are optional.
func (r *Reviewer) lifecycleRights(changes []Change, corrects bool) (needed, optional purposes, unknown []string) {
	needed, optional = r.lifetimeRights(), r.optionalLifetimeRights()
	scopeOf := withFutureKinds(r.kube.ScopeOf, changes)
	for _, change := range slices.Concat(changes, r.undeclared(changes)) {
		key := change.Key.String()
		n := &needs{Change: r.withManifests(change), scopeOf: scopeOf}
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

// undeclared returns an uninstallation for each owned release that is not among the changes.
func (r *Reviewer) undeclared(changes []Change) []Change {
	declared := map[release.Key]bool{}
	for _, change := range changes {
		declared[change.Key] = true
	}
	var all []Change
	for key := range r.history.Keys() {
		if last, _ := r.history.Last(key); !declared[key] && history.OwnerOf(last).Instance == r.kube.Options.Instance {
			all = append(all, Change{Key: key, Action: Uninstall})
		}
	}
	return all
}

// withManifests sets Before to the manifest of the newest revision. A change without a next manifest gets the same one as After.
func (r *Reviewer) withManifests(change Change) Change {
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

// missingRights is nil if no needed right is refused.
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
