package rbac

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Preflight asks the API server, before the first write, whether the agent has every right that the changes and its own objects need.
// Without that check a missing right would leave a failed revision behind. Its error is a [MissingRightsError] with exit.Forbidden that lists
// every missing right.
func (r *Reviewer) Preflight(ctx context.Context, changes []Change, have Existing) error {
	return r.preflight(ctx, changes, r.runRights(have))
}

// PreflightDestroy is [Reviewer.Preflight] for changes after which the state and the Lease are deleted.
func (r *Reviewer) PreflightDestroy(ctx context.Context, changes []Change, have Existing) error {
	return r.preflight(ctx, changes, r.destroyRights(have))
}

// earlier returns the objects of the observed revisions before the newest one. A failed upgrade may have left them in the cluster.
func (r *Reviewer) earlier(change Change) release.Manifest {
	var all release.Manifest
	for _, revision := range r.history.Revisions(change.Key) {
		if revision.Version == change.Revision {
			continue
		}
		if manifest, err := history.ManifestOf(revision); err == nil {
			all = append(all, manifest...)
		}
	}
	return all
}

func (r *Reviewer) preflight(ctx context.Context, changes []Change, own purposes) error {
	needed := own
	for _, change := range changes {
		needed.add(change.Key.String(), requirements(change, r.earlier(change), r.kube.ScopeOf)...)
	}
	denied, err := r.denied(ctx, slices.Collect(maps.Keys(needed)))
	if err != nil || len(denied) == 0 {
		return err
	}
	missing := purposes{}
	for _, need := range denied {
		missing[need.anyName()] = append(missing[need.anyName()], needed[need]...)
	}
	return exit.With(exit.Forbidden, &MissingRightsError{
		message: fmt.Sprintf("nothing was changed, because the agent may not:\n  %s\ngrant it in a Role, or take it out of the helmfile",
			strings.Join(missing.lines(), "\n  ")),
		grant: r.grant(denied, nil),
	})
}

// MissingRightsError says which rights the agent lacks.
type MissingRightsError struct{ message, grant string }

// Error lists every missing right.
func (e *MissingRightsError) Error() string { return e.message }

// Grant is YAML for kubectl apply that would grant what is missing.
func (e *MissingRightsError) Grant() string { return e.grant }
