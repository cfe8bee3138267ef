package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Preflight asks the API server whether the changes, and what a run writes for itself, are allowed, before any is begun: a
// right that turns out to be missing half-way leaves a failed revision behind. Its error is a [MissingRightsError], carries
// exit.Forbidden and lists every missing right.
func (r *Reader) Preflight(ctx context.Context, changes []Change) error {
	return r.preflight(ctx, changes, r.runRights())
}

// PreflightDestroy is [Reader.Preflight] for changes after which the instance is forgotten.
func (r *Reader) PreflightDestroy(ctx context.Context, changes []Change) error {
	return r.preflight(ctx, changes, r.destroyRights())
}

func (r *Reader) preflight(ctx context.Context, changes []Change, own purposes) error {
	needed := own
	for _, change := range changes {
		needed.add(change.Key.String(), r.rights(change)...)
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
		said: fmt.Sprintf("nothing was changed, because the agent may not:\n  %s\ngrant it in a Role, or take it out of the helmfile",
			strings.Join(missing.lines(), "\n  ")),
		grant: r.grant(denied, nil),
	})
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

// MissingRightsError is the error of whoever may not do all that is needed.
type MissingRightsError struct{ said, grant string }

// Error lists every missing right.
func (l *MissingRightsError) Error() string { return l.said }

// Grant is YAML for kubectl apply that would grant what is missing.
func (l *MissingRightsError) Grant() string { return l.grant }
