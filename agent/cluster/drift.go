package cluster

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/helmfile-agent/helmfile-agent/agent/drift"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Drift compares the live objects of releases with their last revisions: one LIST per kind and namespace. What looks
// different is confirmed by a dry run, because the API server and webhooks spell things in their own way.
func (r *Reader) Drift(ctx context.Context, releases []release.Observed, rules []release.IgnoreRule, concurrency int) (map[release.Key][]release.Drift, error) {
	targets := r.targets(releases)
	live, err := r.live(ctx, targets)
	if err != nil {
		return nil, err
	}
	d := &driftDetector{Reader: r, rules: rules}
	var mu sync.Mutex
	found := map[release.Key][]release.Drift{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for _, t := range targets {
		group.Go(func() error {
			difference, differs, err := d.driftOf(ctx, t, live[t.scope].objects[t.Name])
			if err == nil && differs {
				mu.Lock()
				defer mu.Unlock()
				found[t.of] = append(found[t.of], difference)
			}
			return err
		})
	}
	err = group.Wait()
	for _, drifts := range found {
		slices.SortFunc(drifts, func(a, b release.Drift) int { return a.ObjectKey.Compare(b.ObjectKey) })
	}
	return found, err
}

// driftDetector examines objects one by one.
type driftDetector struct {
	*Reader
	rules []release.IgnoreRule

	scalers sync.Map // namespace to func() ([]autoscaled, error)
}

func (d *driftDetector) driftOf(ctx context.Context, t target, live *unstructured.Unstructured) (release.Drift, bool, error) {
	difference := release.Drift{ObjectKey: t.ObjectKey, Mode: modeOf(t.Content)}
	if live == nil {
		difference.Missing = true
		return difference, difference.Mode != release.IgnoreDrift && !transient(t), nil
	}
	difference.Foreign = !BelongsTo(live.GetAnnotations(), t.of)
	if mode := modeOf(live.Object); mode != "" {
		difference.Mode = mode
	}
	if difference.Mode == release.IgnoreDrift || live.GetDeletionTimestamp() != nil {
		return release.Drift{}, false, nil
	}
	if of, ok := d.unchanged[live]; ok && of == t.of {
		return release.Drift{}, false, nil
	}
	var err error
	difference.Fields, difference.Patch, err = d.compare(ctx, t, live)
	return difference, len(difference.Fields) > 0, err
}

// compare suspects, gives up what an autoscaler owns, and lets the API server confirm the rest.
func (d *driftDetector) compare(ctx context.Context, t target, live *unstructured.Unstructured) ([]release.Field, release.Patch, error) {
	want, ignore := owned(t.Object, t.of), d.ignored(t, live)
	patch, corrected, err := drift.Compare(want, live.Object, ignore)
	if err == nil && differsIn(live.Object, corrected, "spec", "replicas") {
		autoscaled, autoscaledErr := d.autoscaled(ctx, t)
		if autoscaledErr != nil {
			return nil, patch, autoscaledErr
		}
		if autoscaled {
			patch, corrected, err = drift.Compare(want, live.Object, append(ignore, "/spec/replicas"))
		}
	}
	if err != nil || corrected == nil {
		return nil, release.Patch{}, err
	}
	confirmed, err := d.confirm(ctx, t, patch, corrected)
	if err != nil || confirmed == nil {
		return nil, release.Patch{}, err
	}
	return drift.Fields(live.Object, corrected, confirmed), patch, nil
}

// confirm asks the API server, webhooks included, what would become of the object; nil if nothing can.
func (d *driftDetector) confirm(ctx context.Context, t target, patch release.Patch, corrected map[string]any) (map[string]any, error) {
	answer, err := t.scope.Of(d.c.Dynamic).Patch(ctx, t.Name, types.PatchType(patch.Type), patch.Data,
		metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: fieldManager})
	switch {
	case err == nil:
		return answer.Object, nil
	case apierrors.IsNotFound(err):
		return nil, nil // it went away meanwhile: the next run re-creates it
	case refused(err):
		return corrected, nil // it cannot be corrected by a patch; that it differs is true all the same
	default:
		return nil, Classify("confirm the drift of "+t.ObjectKey.String(), err)
	}
}

// refused says that the API server has understood the request and will not do it, now or later: a right is missing, a field is
// immutable, a webhook objects or is out of order.
func refused(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsConflict(err) || apierrors.IsBadRequest(err) ||
		apierrors.IsInternalError(err)
}

const fieldManager = "helmfile-agent"

// owned is the object with the marks that Helm puts on everything it manages.
func owned(object release.Object, key release.Key) release.Object {
	content := maps.Clone(object.Content)
	metadata := cloneOf(content["metadata"])
	labels, annotations := cloneOf(metadata["labels"]), cloneOf(metadata["annotations"])
	labels["app.kubernetes.io/managed-by"] = "Helm"
	annotations[nameAnnotation] = key.Name
	annotations[namespaceAnnotation] = key.Namespace
	metadata["labels"], metadata["annotations"] = labels, annotations
	content["metadata"] = metadata
	object.Content = content
	return object
}

func cloneOf(value any) map[string]any {
	node, _ := value.(map[string]any)
	if node == nil {
		return map[string]any{}
	}
	return maps.Clone(node)
}

func modeOf(content map[string]any) release.DriftMode {
	u := unstructured.Unstructured{Object: content}
	return release.DriftMode(u.GetAnnotations()[release.DriftLabel])
}

// ignored are the paths that the configuration and the object itself, as rendered or as it is, give free.
func (d *driftDetector) ignored(t target, live *unstructured.Unstructured) []string {
	var paths []string
	gv, _ := schema.ParseGroupVersion(t.APIVersion) // it had a ResourceScope, so it parses
	for _, rule := range d.rules {
		if matches(rule.Kind, t.Kind) && matches(rule.Group, gv.Group) && matches(rule.Namespace, t.scope.Namespace) && matches(rule.Name, t.Name) {
			paths = append(paths, rule.Paths...)
		}
	}
	if aggregated(t) {
		paths = append(paths, "/rules")
	}
	rendered := unstructured.Unstructured{Object: t.Content}
	for _, annotations := range []map[string]string{rendered.GetAnnotations(), live.GetAnnotations()} {
		for path := range strings.SplitSeq(annotations[release.DriftIgnore], ",") {
			if path = strings.TrimSpace(path); path != "" {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

func matches(pattern, value string) bool { return pattern == "" || pattern == value }

// transient objects are deleted by Kubernetes itself once they have done their work: to make them again would be to do it again.
func transient(t target) bool {
	spec, _ := t.Content["spec"].(map[string]any)
	return t.Kind == "Job" && spec["ttlSecondsAfterFinished"] != nil
}

// aggregated ClusterRoles have their rules from a controller, which overwrites whatever else is there.
func aggregated(t target) bool {
	return t.Kind == "ClusterRole" && t.Content["aggregationRule"] != nil
}

func differsIn(live, corrected map[string]any, path ...string) bool {
	if corrected == nil {
		return false
	}
	before, _, _ := unstructured.NestedFieldNoCopy(live, path...)
	after, _, _ := unstructured.NestedFieldNoCopy(corrected, path...)
	return !reflect.DeepEqual(before, after)
}

// scaled says whether an autoscaler owns the number of the object's replicas.
func (d *driftDetector) autoscaled(ctx context.Context, t target) (bool, error) {
	once, _ := d.scalers.LoadOrStore(t.scope.Namespace, sync.OnceValues(func() ([]autoscaled, error) { return d.autoscaledIn(ctx, t.scope.Namespace) }))
	all, err := once.(func() ([]autoscaled, error))()
	return slices.Contains(all, autoscaled{t.Kind, t.Name}), err
}

// scaled is a workload that an autoscaler targets.
type autoscaled struct{ kind, name string }

func (d *driftDetector) autoscaledIn(ctx context.Context, namespace string) ([]autoscaled, error) {
	list, err := d.c.Client.AutoscalingV2().HorizontalPodAutoscalers(namespace).List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil, nil // who may not see autoscalers has none
	}
	if err != nil {
		return nil, Classify("list the autoscalers in namespace "+namespace, err)
	}
	var all []autoscaled
	for _, hpa := range list.Items {
		all = append(all, autoscaled{hpa.Spec.ScaleTargetRef.Kind, hpa.Spec.ScaleTargetRef.Name})
	}
	return all, nil
}
