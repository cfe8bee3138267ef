package cluster

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/dynamic"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// ResourceScope is where objects of one kind live: what one LIST returns.
type ResourceScope struct {
	schema.GroupVersionResource
	Namespace string // empty for what is cluster-scoped
}

func (p ResourceScope) Of(client dynamic.Interface) dynamic.ResourceInterface {
	if p.Namespace == "" {
		return client.Resource(p.GroupVersionResource)
	}
	return client.Resource(p.GroupVersionResource).Namespace(p.Namespace)
}

// target is an object of a release's last revision, and where it should be.
type target struct {
	release.Object
	of    release.Key
	scope ResourceScope
}

// targets are the objects to compare: hooks come and go. A kind that the cluster does not know has no place.
func (r *Reader) targets(releases []release.Observed) []target {
	var all []target
	for _, o := range releases {
		for _, object := range o.Manifest {
			if object.Hook {
				continue
			}
			if at, ok := r.c.ScopeOf(object, o.Namespace); ok {
				all = append(all, target{object, o.Key, at})
			}
		}
	}
	return all
}

func (c *Connection) ScopeOf(object release.Object, namespace string) (ResourceScope, bool) {
	gv, err := schema.ParseGroupVersion(object.APIVersion)
	if err != nil {
		return ResourceScope{}, false
	}
	mapping, err := c.Mapper.RESTMapping(gv.WithKind(object.Kind).GroupKind(), gv.Version)
	if err != nil {
		return ResourceScope{}, false
	}
	at := ResourceScope{GroupVersionResource: mapping.Resource}
	if mapping.Scope.Name() == "namespace" {
		at.Namespace = namespace
		if object.Namespace != "" {
			at.Namespace = object.Namespace
		}
	}
	return at, true
}

const (
	listsAtOnce   = 8
	liveChunk     = 500
	NoHelmRecords = "type!=helm.sh/release.v1" // a field selector: Helm's records are no objects of releases
)

// findings are what there is of the names that were looked for in a place.
type liveObjects struct {
	names   sets.Set[string]
	objects map[string]*unstructured.Unstructured
}

// live is what the cluster has of the targets, by place.
func (r *Reader) live(ctx context.Context, targets []target) (map[ResourceScope]liveObjects, error) {
	wanted := map[ResourceScope]sets.Set[string]{}
	for _, t := range targets {
		if wanted[t.scope] == nil {
			wanted[t.scope] = sets.New[string]()
		}
		wanted[t.scope].Insert(t.Name)
	}
	var mu sync.Mutex
	all := map[ResourceScope]liveObjects{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(listsAtOnce)
	for at, names := range wanted {
		if seen, ok := r.prefetched[at]; ok && seen.names.IsSuperset(names) {
			mu.Lock()
			all[at] = seen
			mu.Unlock()
			continue
		}
		group.Go(func() error {
			objects, err := r.objects(ctx, at, names)
			mu.Lock()
			defer mu.Unlock()
			all[at] = liveObjects{names, objects}
			return err
		})
	}
	return all, group.Wait()
}

// objects lists a place, or where listing is forbidden gets each object.
func (r *Reader) objects(ctx context.Context, at ResourceScope, names sets.Set[string]) (map[string]*unstructured.Unstructured, error) {
	objects, err := r.listPlace(ctx, at, names)
	if apierrors.IsForbidden(err) {
		objects, err = r.getEach(ctx, at, names)
	}
	if apierrors.IsNotFound(err) {
		return nil, nil // the kind itself is gone since it was discovered
	}
	return objects, Classify(fmt.Sprintf("read %s in namespace %q", at.Resource, at.Namespace), err)
}

func (r *Reader) listPlace(ctx context.Context, at ResourceScope, names sets.Set[string]) (map[string]*unstructured.Unstructured, error) {
	objects := map[string]*unstructured.Unstructured{}
	opts := metav1.ListOptions{Limit: liveChunk}
	if at.Resource == "secrets" && at.Group == "" {
		opts.FieldSelector = NoHelmRecords
	}
	for {
		chunk, err := at.Of(r.c.Dynamic).List(ctx, opts)
		if err != nil {
			return nil, err
		}
		for i := range chunk.Items {
			if item := &chunk.Items[i]; names.Has(item.GetName()) {
				r.c.ObserveSecret(at, item)
				objects[item.GetName()] = item
			}
		}
		if opts.Continue = chunk.GetContinue(); opts.Continue == "" {
			return objects, nil
		}
	}
}

func (r *Reader) getEach(ctx context.Context, at ResourceScope, names sets.Set[string]) (map[string]*unstructured.Unstructured, error) {
	objects := map[string]*unstructured.Unstructured{}
	for name := range names {
		object, err := at.Of(r.c.Dynamic).Get(ctx, name, metav1.GetOptions{})
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
