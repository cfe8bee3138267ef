package rbac

import (
	"context"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
)

const reviewsAtOnce = 8

// denied returns the rights that the agent does not have. It asks about single objects only if the agent lacks the right to all objects of
// the kind. So the usual Role costs one question for each verb and kind.
func (r *Reviewer) denied(ctx context.Context, needed []right) ([]right, error) {
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

func (r *Reviewer) refused(ctx context.Context, needs []right) ([]right, error) {
	return r.filterRights(ctx, needs, func(ctx context.Context, need right) (bool, error) {
		allowed, err := r.allowed(ctx, need)
		return !allowed, err
	})
}

// filterRights returns the rights for which the API server's answer is yes. It asks about several rights at a time.
func (r *Reviewer) filterRights(ctx context.Context, rights []right, ask func(context.Context, right) (bool, error)) ([]right, error) {
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
	err := group.Wait() // before yes is read: Go does not say which operand of a return comes first
	return yes, err
}

func (r *Reviewer) allowed(ctx context.Context, need right) (bool, error) {
	review := &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorization.ResourceAttributes{
			Verb: need.verb, Group: need.group, Resource: need.resource, Namespace: need.namespace, Name: need.name,
		},
	}}
	answer, err := r.kube.Client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, kube.Classify("ask whether one may "+need.String(), err)
	}
	return answer.Status.Allowed, nil
}
