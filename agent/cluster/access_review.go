package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

const reviewsAtOnce = 8

// denied are those of the rights that are not granted. Whether single objects are allowed is asked only where all of a kind
// are not: the usual Role costs one question for each verb and kind.
func (r *Reader) denied(ctx context.Context, needed []right) ([]right, error) {
	anyName := map[right]bool{}
	for _, need := range needed {
		anyName[need.anyName()] = true
	}
	refused, err := r.refused(ctx, slices.Collect(maps.Keys(anyName)))
	if err != nil {
		return nil, err
	}
	var denied, named []right
	for _, need := range needed {
		switch {
		case !slices.Contains(refused, need.anyName()):
		case need.named():
			named = append(named, need)
		default:
			denied = append(denied, need)
		}
	}
	refused, err = r.refused(ctx, named)
	return append(denied, refused...), err
}

func (r *Reader) refused(ctx context.Context, needs []right) ([]right, error) {
	return r.filterRights(ctx, needs, func(ctx context.Context, need right) (bool, error) {
		allowed, err := r.allowed(ctx, need)
		return !allowed, err
	})
}

// those are the rights for which the API server's answer is yes; it is asked about several at a time.
func (r *Reader) filterRights(ctx context.Context, rights []right, ask func(context.Context, right) (bool, error)) ([]right, error) {
	var mu sync.Mutex
	var yes []right
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(reviewsAtOnce)
	for _, one := range rights {
		group.Go(func() error {
			is, err := ask(ctx, one)
			if err == nil && is {
				mu.Lock()
				defer mu.Unlock()
				yes = append(yes, one)
			}
			return err
		})
	}
	return yes, group.Wait()
}

func (r *Reader) allowed(ctx context.Context, need right) (bool, error) {
	review := &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorization.ResourceAttributes{
			Verb: need.verb, Group: need.group, Resource: need.resource, Namespace: need.namespace, Name: need.name,
		},
	}}
	answer, err := r.c.Client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, Classify("ask whether one may "+need.String(), err)
	}
	return answer.Status.Allowed, nil
}
