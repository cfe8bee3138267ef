package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"reflect"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Change is what is about to happen to one release's objects: After is empty when it goes, Before when it comes.
type Change struct {
	release.Key
	Before, After release.Manifest
	// LabelsOnly changes leave the objects alone.
	LabelsOnly bool
}

// right is one thing that one may be allowed to do.
type right struct{ verb, group, resource, namespace string }

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
	denied, err := r.denied(ctx, needed)
	if err != nil || len(denied) == 0 {
		return err
	}
	lines := make([]string, 0, len(denied))
	for _, missing := range denied {
		lines = append(lines, fmt.Sprintf("%s (for %s)", missing, strings.Join(slices.Compact(needed[missing]), ", ")))
	}
	slices.Sort(lines)
	return exit.With(exit.Forbidden, fmt.Errorf("nothing was changed, because the agent may not:\n  %s\ngrant it in a Role, or take it out of the helmfile",
		strings.Join(lines, "\n  ")))
}

func (r *Reader) denied(ctx context.Context, needed map[right][]string) ([]right, error) {
	var mu sync.Mutex
	var denied []right
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(reviewsAtOnce)
	for need := range needed {
		group.Go(func() error {
			allowed, err := r.allowed(ctx, need)
			if err == nil && !allowed {
				mu.Lock()
				defer mu.Unlock()
				denied = append(denied, need)
			}
			return err
		})
	}
	return denied, group.Wait()
}

func (r *Reader) allowed(ctx context.Context, need right) (bool, error) {
	review := &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorization.ResourceAttributes{
			Verb: need.verb, Group: need.group, Resource: need.resource, Namespace: need.namespace,
		},
	}}
	answer, err := r.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, classify("ask whether one may "+need.String(), err)
	}
	return answer.Status.Allowed, nil
}

// rights are what Helm needs for a change: its own records, and each object according to what becomes of it.
func (r *Reader) rights(change Change) []right {
	if change.LabelsOnly {
		return []right{{"patch", "", "secrets", change.Namespace}}
	}
	var rights []right
	storage := []string{"create", "update"}
	if len(change.Before) > 0 {
		storage = append(storage, "delete")
	}
	for _, verb := range storage {
		rights = append(rights, right{verb, "", "secrets", change.Namespace})
	}
	before := byKey(change.Before)
	for key, object := range byKey(change.After) {
		old, existed := before[key]
		rights = append(rights, r.objectRights(change.Namespace, object, verbsFor(old, existed, object))...)
	}
	after := byKey(change.After)
	for key, object := range before {
		if _, stays := after[key]; !stays && !object.Hook {
			rights = append(rights, r.objectRights(change.Namespace, object, []string{"get", "delete"})...)
		}
	}
	return rights
}

func verbsFor(old release.Object, existed bool, object release.Object) []string {
	switch {
	case !existed || object.Hook:
		return []string{"get", "create"}
	case reflect.DeepEqual(old.Content, object.Content):
		return []string{"get"}
	default:
		return []string{"get", "patch"}
	}
}

func byKey(manifest release.Manifest) map[release.ObjectKey]release.Object {
	objects := make(map[release.ObjectKey]release.Object, len(manifest))
	for _, object := range manifest {
		objects[object.ObjectKey] = object
	}
	return objects
}

// objectRights is empty for a kind that the cluster does not know (yet): Helm will say so better.
func (r *Reader) objectRights(namespace string, object release.Object, verbs []string) []right {
	gv, err := schema.ParseGroupVersion(object.APIVersion)
	if err != nil {
		return nil
	}
	mapping, err := r.mapper.RESTMapping(gv.WithKind(object.Kind).GroupKind(), gv.Version)
	if err != nil {
		return nil
	}
	where := ""
	if mapping.Scope.Name() == "namespace" {
		where = namespace
		if object.Namespace != "" {
			where = object.Namespace
		}
	}
	var rights []right
	for _, verb := range verbs {
		rights = append(rights, right{verb, mapping.Resource.Group, mapping.Resource.Resource, where})
	}
	return rights
}
