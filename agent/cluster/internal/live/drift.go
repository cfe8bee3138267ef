package live

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/drift"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Drift compares the live objects of releases with their newest revisions. It sends one LIST for each kind and namespace. It confirms
// each difference by a dry run, because the API server and webhooks may write the same value in another way.
func (l *Live) Drift(ctx context.Context, releases []release.Observed, rules []release.IgnoreRule, concurrency int) (map[release.Key][]release.Drift, error) {
	targets := l.targets(releases)
	live, err := l.live(ctx, targets)
	if err != nil {
		return nil, err
	}
	d := &driftDetector{Live: l, rules: rules}
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
	*Live
	rules []release.IgnoreRule

	scalers sync.Map // namespace to func() ([]autoscaled, error)
}

func (d *driftDetector) driftOf(ctx context.Context, t target, live *unstructured.Unstructured) (release.Drift, bool, error) {
	difference := release.Drift{ObjectKey: t.ObjectKey, Mode: modeOf(t.Content)}
	if live == nil {
		difference.Missing = true
		return difference, difference.Mode != release.IgnoreDrift && !transient(t), nil
	}
	difference.Foreign = !kube.BelongsTo(live.GetAnnotations(), t.of)
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

// compare finds differences, ignores the replicas that an autoscaler owns, and lets the API server confirm the rest.
func (d *driftDetector) compare(ctx context.Context, t target, live *unstructured.Unstructured) ([]release.Field, release.Patch, error) {
	want, ignore := owned(t.Object, t.of), d.ignoredPaths(t, live)
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

// confirm asks the API server, webhooks included, what the object would be after the patch. It is nil if the object no longer exists.
func (d *driftDetector) confirm(ctx context.Context, t target, patch release.Patch, corrected map[string]any) (map[string]any, error) {
	answer, err := t.scope.Of(d.kube.Dynamic).Patch(ctx, t.Name, types.PatchType(patch.Type), patch.Data,
		metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: kube.FieldManager})
	switch {
	case err == nil:
		return answer.Object, nil
	case apierrors.IsNotFound(err):
		return nil, nil // it was deleted meanwhile, and the next run re-creates it
	case refusedByServer(err):
		return corrected, nil // the object differs, although a patch cannot correct it
	default:
		return nil, kube.Classify("confirm the drift of "+t.ObjectKey.String(), err)
	}
}

// refusedByServer says whether the API server understood the request and refused it: a right is missing, a field is immutable, or a
// webhook rejects the request or is broken.
func refusedByServer(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsConflict(err) || apierrors.IsBadRequest(err) ||
		apierrors.IsInternalError(err)
}

func differsIn(live, corrected map[string]any, path ...string) bool {
	if corrected == nil {
		return false
	}
	before, _, _ := unstructured.NestedFieldNoCopy(live, path...)
	after, _, _ := unstructured.NestedFieldNoCopy(corrected, path...)
	return !reflect.DeepEqual(before, after)
}
