package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Reader reads the cluster. It has no method that writes, and none that leads to one.
type Reader struct {
	c                 *Connection
	unresponsiveHosts sync.Map // hosts of charts that did not answer, to the error that said so

	remembers bool // the instance has a memory already
	leased    bool // and a Lease

	written map[string]release.Record // the records that the instance remembers

	mu       sync.Mutex
	listed   sets.Set[string]                // namespaces whose records are below
	records  map[release.Key][]*helm.Release // newest last
	observed map[release.Key]release.Observed
	kept     map[string]bool // storage records annotated to be kept, as namespace/name

	prefetched map[ResourceScope]liveObjects              // live objects
	unchanged  map[*unstructured.Unstructured]release.Key // those of them that do not differ, and the release that declares them
}

func newReader(c *Connection) *Reader {
	return &Reader{
		c:         c,
		listed:    sets.New[string](),
		records:   map[release.Key][]*helm.Release{},
		observed:  map[release.Key]release.Observed{},
		kept:      map[string]bool{},
		unchanged: map[*unstructured.Unstructured]release.Key{},
	}
}

// Namespace is the agent's own.
func (r *Reader) Namespace() string { return r.c.Namespace }

const namespacesAtOnce = 8

// Observe lists the newest revision of every release in the namespaces: one LIST each, however many releases there are. The
// agent's own namespace is always among them: what it once installed there may not be declared any more. Of the remembered namespaces, in which nothing need be declared any more, those that may not be read are returned.
func (r *Reader) Observe(ctx context.Context, declared, remembered []string) (found []release.Observed, unread []string, err error) {
	if unread, err = r.listAll(ctx, sets.New(declared...), sets.New(remembered...)); err != nil {
		return nil, nil, err
	}
	return slices.SortedFunc(maps.Values(r.observed), func(a, b release.Observed) int { return a.Key.Compare(b.Key) }), unread, nil
}

func (r *Reader) listAll(ctx context.Context, declared, remembered sets.Set[string]) ([]string, error) {
	var unread []string
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(namespacesAtOnce)
	for namespace := range declared.Union(remembered).Insert(r.c.Namespace).Difference(r.listed) {
		group.Go(func() error {
			err := r.list(ctx, namespace)
			switch {
			case !apierrors.IsForbidden(err) || declared.Has(namespace):
				return err
			case namespace == r.c.Namespace:
				return fmt.Errorf("%w; no release is declared in it, but it is the agent's own (--namespace): its memory lives there, "+
					"and what it installed there before", err)
			default:
				r.mu.Lock()
				defer r.mu.Unlock()
				unread = append(unread, namespace)
				return nil
			}
		})
	}
	err := group.Wait()
	slices.Sort(unread)
	return unread, err
}

// storage is Helm's, for reading the current revisions in a namespace.
func (r *Reader) storage(ctx context.Context, namespace string) *driver.Secrets {
	secrets := driver.NewSecrets(current{r.c.Client.CoreV1().Secrets(namespace), ctx, r.noteKept})
	secrets.Log = r.c.Debugf
	return secrets
}

// find looks at one release: its newest revision, or nil when there is none.
func (r *Reader) find(ctx context.Context, key release.Key) (*release.Observed, error) {
	revisions, err := r.storage(ctx, key.Namespace).Query(map[string]string{"owner": "helm", "name": key.Name})
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	newest := slices.MaxFunc(revisions, func(a, b *helm.Release) int { return a.Version - b.Version })
	observed, err := r.observe(key, newest)
	return &observed, err
}

func (r *Reader) list(ctx context.Context, namespace string) error {
	found, err := r.storage(ctx, namespace).List(func(*helm.Release) bool { return true })
	if apierrors.IsForbidden(err) {
		err = fmt.Errorf("%w; a Role in namespace %s must allow it (and if there is no such namespace yet, whoever may create one "+
			"must run `kubectl create namespace %s` first)", err, namespace, namespace)
	}
	if err != nil {
		return Classify(fmt.Sprintf("list the Helm releases in namespace %s", namespace), err)
	}
	slices.SortFunc(found, func(a, b *helm.Release) int { return a.Version - b.Version })
	records := map[release.Key][]*helm.Release{}
	for _, revision := range found {
		key := release.Key{Namespace: namespace, Name: revision.Name}
		records[key] = append(records[key], revision)
	}
	return r.take(namespace, records)
}

// take understands the newest of the revisions that were listed.
func (r *Reader) take(namespace string, records map[release.Key][]*helm.Release) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, revisions := range records {
		observed, err := r.observe(key, revisions[len(revisions)-1])
		if err != nil {
			return err
		}
		r.observed[key] = observed
	}
	maps.Copy(r.records, records)
	r.listed.Insert(namespace)
	return nil
}

// current gives Helm's storage driver a context and spares it the superseded revisions: of ten that are kept, nine.
type current struct {
	typed.SecretInterface
	ctx  context.Context
	note func(corev1.Secret)
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
		for _, item := range chunk.Items {
			c.note(item)
		}
		all.Items = append(all.Items, chunk.Items...)
		if opts.Continue = chunk.Continue; opts.Continue == "" {
			return all, nil
		}
	}
}

// noteKept looks at annotations, which Helm does not pass on.
func (r *Reader) noteKept(record corev1.Secret) {
	if record.Annotations[release.PruneLabel] == release.KeepValue {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.kept[record.Namespace+"/"+record.Name] = true
	}
}

// RecordName is how Helm names the Secret that stores a revision.
func RecordName(key release.Key, revision int) string {
	return fmt.Sprintf("%s.%s.v%d", storage.HelmStorageType, key.Name, revision)
}

func (r *Reader) observe(key release.Key, newest *helm.Release) (release.Observed, error) {
	manifest, err := ManifestOf(newest)
	if err != nil {
		return release.Observed{}, fmt.Errorf("read revision %d of release %s: %w", newest.Version, key, err)
	}
	observed := release.Observed{
		Key:      key,
		Revision: newest.Version,
		Chart:    ChartOf(newest),
		Values:   newest.Config,
		Manifest: manifest,
		Digest:   DigestOf(newest),
		Owner:    OwnerOf(newest),

		KeptByHand: r.kept[key.Namespace+"/"+RecordName(key, newest.Version)],
	}
	observed.Trusted = r.written[key.String()] == release.Record{Revision: observed.Revision, Digest: observed.Digest}
	if newest.Info != nil {
		observed.Status = newest.Info.Status.String()
		observed.Updated = newest.Info.LastDeployed.Time
	}
	return observed, nil
}

func OwnerOf(revision *helm.Release) release.Owner {
	return release.Owner{
		Instance: revision.Labels[release.InstanceLabel],
		Origin:   revision.Labels[release.OriginLabel],
		Keep:     revision.Labels[release.PruneLabel] == release.KeepValue,
		DriftOff: release.DriftMode(revision.Labels[release.DriftLabel]) == release.IgnoreDrift,

		Fingerprint: revision.Labels[release.FingerprintLabel],
	}
}

func ChartOf(revision *helm.Release) release.ChartVersion {
	if revision.Chart == nil || revision.Chart.Metadata == nil {
		return release.ChartVersion{}
	}
	m := revision.Chart.Metadata
	return release.ChartVersion{Name: m.Name, Version: m.Version, AppVersion: m.AppVersion}
}
