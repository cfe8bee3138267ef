package live

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Live compares live objects with the newest revisions.
type Live struct {
	kube    *kube.Connection
	history *history.History

	prefetched map[kube.ResourceScope]liveObjects
	unchanged  map[*unstructured.Unstructured]release.Key // prefetched objects that do not differ, and the release that declares them
}

// New returns a Live that compares with the revisions in the history.
func New(c *kube.Connection, h *history.History) *Live {
	return &Live{kube: c, history: h, unchanged: map[*unstructured.Unstructured]release.Key{}}
}

// target is an object of the newest revision of a release, with its scope.
type target struct {
	release.Object
	of    release.Key
	scope kube.ResourceScope
}

// targets returns the objects to compare. It leaves out hooks, which Helm creates and deletes, and kinds that the cluster does not know.
func (l *Live) targets(releases []release.Observed) []target {
	var all []target
	for _, o := range releases {
		for _, object := range o.Manifest {
			if object.Hook {
				continue
			}
			if at, ok := l.kube.ScopeOf(object, o.Namespace); ok {
				all = append(all, target{object, o.Key, at})
			}
		}
	}
	return all
}

const (
	listsAtOnce = 8
	listLimit   = 500
)

// liveObjects are the live objects of one scope that have one of the wanted names.
type liveObjects struct {
	names   sets.Set[string] // wanted
	objects map[string]*unstructured.Unstructured
}

// live returns the live objects of the targets, by scope.
func (l *Live) live(ctx context.Context, targets []target) (map[kube.ResourceScope]liveObjects, error) {
	wanted := map[kube.ResourceScope]sets.Set[string]{}
	for _, t := range targets {
		if wanted[t.scope] == nil {
			wanted[t.scope] = sets.New[string]()
		}
		wanted[t.scope].Insert(t.Name)
	}
	var mu sync.Mutex
	all := map[kube.ResourceScope]liveObjects{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(listsAtOnce)
	for at, names := range wanted {
		if prefetched, ok := l.prefetched[at]; ok && prefetched.names.IsSuperset(names) {
			mu.Lock()
			all[at] = prefetched
			mu.Unlock()
			continue
		}
		group.Go(func() error {
			objects, err := l.objects(ctx, at, names)
			mu.Lock()
			defer mu.Unlock()
			all[at] = liveObjects{names, objects}
			return err
		})
	}
	return all, group.Wait()
}

// objects lists the scope. If the agent must not list it, it gets each object.
func (l *Live) objects(ctx context.Context, at kube.ResourceScope, names sets.Set[string]) (map[string]*unstructured.Unstructured, error) {
	objects, err := l.listScope(ctx, at, names)
	if apierrors.IsForbidden(err) {
		objects, err = l.getEach(ctx, at, names)
	}
	if apierrors.IsNotFound(err) {
		return nil, nil // the kind was deleted after the agent discovered it
	}
	return objects, kube.Classify(fmt.Sprintf("read %s in namespace %q", at.Resource, at.Namespace), err)
}

func (l *Live) listScope(ctx context.Context, at kube.ResourceScope, names sets.Set[string]) (map[string]*unstructured.Unstructured, error) {
	objects := map[string]*unstructured.Unstructured{}
	opts := metav1.ListOptions{Limit: listLimit}
	if at.Resource == "secrets" && at.Group == "" {
		opts.FieldSelector = kube.NoHelmRecords
	}
	for {
		chunk, err := at.Of(l.kube.Dynamic).List(ctx, opts)
		if err != nil {
			return nil, err
		}
		for i := range chunk.Items {
			if item := &chunk.Items[i]; names.Has(item.GetName()) {
				if err := l.kube.ObserveSecret(at, item); err != nil {
					return nil, err
				}
				objects[item.GetName()] = item
			}
		}
		if opts.Continue = chunk.GetContinue(); opts.Continue == "" {
			return objects, nil
		}
	}
}

func (l *Live) getEach(ctx context.Context, at kube.ResourceScope, names sets.Set[string]) (map[string]*unstructured.Unstructured, error) {
	objects := map[string]*unstructured.Unstructured{}
	for name := range names {
		object, err := at.Of(l.kube.Dynamic).Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return nil, err
		default:
			objects[name] = object
		}
	}
	return objects, nil
}
