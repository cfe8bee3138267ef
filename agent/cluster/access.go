package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// right is one thing that one may be allowed to do.
type right struct{ verb, group, resource, namespace, name string }

// toAny is the same right to objects of any name.
func (r right) toAny() right {
	r.name = ""
	return r
}

// toOne says whether a Role may grant the right for single objects. What is created has no name yet.
func (r right) toOne() bool { return r.name != "" && r.verb != "create" }

func (r right) String() string {
	resource := r.resource
	if r.group != "" {
		resource += "." + r.group
	}
	if r.namespace == "" {
		return fmt.Sprintf("%s %s (cluster-scoped)", r.verb, resource)
	}
	return fmt.Sprintf("%s %s in namespace %s", r.verb, resource, r.namespace)
}

const reviewsAtOnce = 8

// Preflight asks the API server whether the changes are allowed, before any is begun: a right that turns out to be missing
// half-way leaves a failed revision behind. Its error carries exit.Forbidden and lists every missing right.
func (r *Reader) Preflight(ctx context.Context, changes []Change) error {
	needed := map[right][]string{}
	for _, change := range changes {
		for _, need := range r.rights(change) {
			needed[need] = append(needed[need], change.Key.String())
		}
	}
	if len(changes) > 0 {
		needed[r.remembering()] = []string{"the memory of instance " + r.c.opts.Instance}
	}
	denied, err := r.denied(ctx, slices.Collect(maps.Keys(needed)))
	if err != nil || len(denied) == 0 {
		return err
	}
	missing := map[right][]string{}
	for _, need := range denied {
		missing[need.toAny()] = append(missing[need.toAny()], needed[need]...)
	}
	lines := make([]string, 0, len(missing))
	for need, releases := range missing {
		slices.Sort(releases)
		lines = append(lines, fmt.Sprintf("%s (for %s)", need, strings.Join(slices.Compact(releases), ", ")))
	}
	slices.Sort(lines)
	return exit.With(exit.Forbidden, fmt.Errorf("nothing was changed, because the agent may not:\n  %s\ngrant it in a Role, or take it out of the helmfile",
		strings.Join(lines, "\n  ")))
}

// denied are those of the rights that are not granted. Whether single objects are allowed is asked only where all of a kind
// are not: the usual Role costs one question for each verb and kind.
func (r *Reader) denied(ctx context.Context, needed []right) ([]right, error) {
	toAny := map[right]bool{}
	for _, need := range needed {
		toAny[need.toAny()] = true
	}
	refused, err := r.refused(ctx, slices.Collect(maps.Keys(toAny)))
	if err != nil {
		return nil, err
	}
	var denied, named []right
	for _, need := range needed {
		switch {
		case !slices.Contains(refused, need.toAny()):
		case need.toOne():
			named = append(named, need)
		default:
			denied = append(denied, need)
		}
	}
	refused, err = r.refused(ctx, named)
	return append(denied, refused...), err
}

func (r *Reader) refused(ctx context.Context, needs []right) ([]right, error) {
	var mu sync.Mutex
	var refused []right
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(reviewsAtOnce)
	for _, need := range needs {
		group.Go(func() error {
			allowed, err := r.allowed(ctx, need)
			if err == nil && !allowed {
				mu.Lock()
				defer mu.Unlock()
				refused = append(refused, need)
			}
			return err
		})
	}
	return refused, group.Wait()
}

func (r *Reader) allowed(ctx context.Context, need right) (bool, error) {
	review := &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorization.ResourceAttributes{
			Verb: need.verb, Group: need.group, Resource: need.resource, Namespace: need.namespace, Name: need.name,
		},
	}}
	answer, err := r.c.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, classify("ask whether one may "+need.String(), err)
	}
	return answer.Status.Allowed, nil
}
