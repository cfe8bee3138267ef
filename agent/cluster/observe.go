package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Reader reads the cluster. It has no method that writes.
type Reader struct {
	*Cluster
	mu      sync.Mutex
	records map[release.Key][]*helm.Release // newest last
}

// Reader makes a reader of the cluster.
func (c *Cluster) Reader() *Reader {
	return &Reader{Cluster: c, records: map[release.Key][]*helm.Release{}}
}

const namespacesAtOnce = 8

// Observe lists the newest revision of every release in the namespaces: one LIST each, however many releases there are.
func (r *Reader) Observe(ctx context.Context, namespaces []string) ([]release.Observed, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(namespacesAtOnce)
	for namespace := range sets.New(namespaces...) {
		group.Go(func() error { return r.list(ctx, namespace) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var found []release.Observed
	for key, revisions := range r.records {
		observed, err := observe(key, revisions[len(revisions)-1])
		if err != nil {
			return nil, err
		}
		found = append(found, observed)
	}
	slices.SortFunc(found, func(a, b release.Observed) int { return a.Key.Compare(b.Key) })
	return found, nil
}

func (r *Reader) list(ctx context.Context, namespace string) error {
	secrets := driver.NewSecrets(current{r.client.CoreV1().Secrets(namespace), ctx})
	secrets.Log = r.debugf
	found, err := secrets.List(func(*helm.Release) bool { return true })
	if apierrors.IsForbidden(err) {
		err = fmt.Errorf("%w; a Role in namespace %s must allow it (and if there is no such namespace yet, whoever may create one "+
			"must run `kubectl create namespace %s` first)", err, namespace, namespace)
	}
	if err != nil {
		return classify(fmt.Sprintf("list the Helm releases in namespace %s", namespace), err)
	}
	slices.SortFunc(found, func(a, b *helm.Release) int { return a.Version - b.Version })
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, revision := range found {
		key := release.Key{Namespace: namespace, Name: revision.Name}
		r.records[key] = append(r.records[key], revision)
	}
	return nil
}

// current gives Helm's storage driver a context and spares it the superseded revisions: of ten that are kept, nine.
type current struct {
	typed.SecretInterface
	ctx context.Context
}

const recordsPerChunk = 250

func (c current) List(_ context.Context, opts metav1.ListOptions) (*corev1.SecretList, error) {
	opts.LabelSelector += ",status!=" + string(helm.StatusSuperseded)
	opts.Limit = recordsPerChunk
	all := &corev1.SecretList{}
	for {
		chunk, err := c.SecretInterface.List(c.ctx, opts)
		if err != nil {
			return nil, err
		}
		all.Items = append(all.Items, chunk.Items...)
		if opts.Continue = chunk.Continue; opts.Continue == "" {
			return all, nil
		}
	}
}

func observe(key release.Key, newest *helm.Release) (release.Observed, error) {
	manifest, err := manifestOf(newest)
	if err != nil {
		return release.Observed{}, fmt.Errorf("read revision %d of release %s: %w", newest.Version, key, err)
	}
	observed := release.Observed{
		Key:      key,
		Revision: newest.Version,
		Chart:    chartOf(newest),
		Values:   newest.Config,
		Manifest: manifest,
		Instance: newest.Labels[release.InstanceLabel],
	}
	if newest.Info != nil {
		observed.Status = newest.Info.Status.String()
		observed.Updated = newest.Info.LastDeployed.Time
	}
	return observed, nil
}

func chartOf(revision *helm.Release) release.ChartVersion {
	if revision.Chart == nil || revision.Chart.Metadata == nil {
		return release.ChartVersion{}
	}
	m := revision.Chart.Metadata
	return release.ChartVersion{Name: m.Name, Version: m.Version, AppVersion: m.AppVersion}
}
