package history

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	helm "helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// History knows Helm's records of the releases that were observed. It reads and never writes.
type History struct {
	kube *kube.Connection

	trusted release.InstanceState // whose records prove that this instance wrote a record

	mu       sync.Mutex
	listed   sets.Set[string]                // namespaces whose records are below
	records  map[release.Key][]*helm.Release // newest last
	observed map[release.Key]release.Observed
	// By record, as namespace/name: whether it is annotated to be kept, and whether Helm 4 applied the revision server-side.
	kept, serverSide map[string]bool
	damaged          map[release.Key]release.Observed // releases with a record that cannot be decoded
}

// New is an empty history: it knows what it is asked to observe.
func New(c *kube.Connection) *History {
	return &History{
		kube:       c,
		listed:     sets.New[string](),
		records:    map[release.Key][]*helm.Release{},
		observed:   map[release.Key]release.Observed{},
		kept:       map[string]bool{},
		serverSide: map[string]bool{},
		damaged:    map[release.Key]release.Observed{},
	}
}

const namespacesAtOnce = 8

// Observe lists the newest revision of every release in the namespaces, with one LIST for each namespace. The agent's own namespace
// is always among them, because it may hold releases that are no longer declared. Remembered namespaces may hold no declared release;
// those that the agent may not read are returned as unread.
func (h *History) Observe(ctx context.Context, declared, remembered []string) (found []release.Observed, unread []string, err error) {
	if unread, err = h.Read(ctx, sets.New(declared...), sets.New(remembered...)); err != nil {
		return nil, nil, err
	}
	return slices.SortedFunc(maps.Values(h.observed), func(a, b release.Observed) int { return a.Key.Compare(b.Key) }), unread, nil
}

// Read lists the records in the namespaces that were not listed yet. It returns the remembered namespaces that the agent may not read.
func (h *History) Read(ctx context.Context, declared, remembered sets.Set[string]) ([]string, error) {
	var unread []string
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(namespacesAtOnce)
	for namespace := range declared.Union(remembered).Insert(h.kube.Namespace).Difference(h.listed) {
		group.Go(func() error {
			err := h.list(ctx, namespace)
			switch {
			case !apierrors.IsForbidden(err) || declared.Has(namespace):
				return err
			case namespace == h.kube.Namespace:
				return fmt.Errorf("%w; no release is declared in it, but it is the agent's own (--namespace): its state is stored there, "+
					"and what it installed there before", err)
			default:
				h.mu.Lock()
				defer h.mu.Unlock()
				unread = append(unread, namespace)
				return nil
			}
		})
	}
	err := group.Wait()
	slices.Sort(unread)
	return unread, err
}

// ObserveReadable reads the releases in the namespaces and in the agent's own, and passes over those that the agent may not read.
func (h *History) ObserveReadable(ctx context.Context, namespaces []string) error {
	namespaces = append(slices.Clone(namespaces), h.kube.Namespace)
	slices.Sort(namespaces)
	for _, namespace := range slices.Compact(namespaces) {
		if err := h.list(ctx, namespace); err != nil && !apierrors.IsForbidden(err) {
			return err
		}
	}
	return nil
}

// Find reads the newest revision of one release; nil when there is none.
func (h *History) Find(ctx context.Context, key release.Key) (*release.Observed, error) {
	revisions, err := h.currentRevisions(ctx, key.Namespace, "name="+key.Name)
	if err != nil {
		return nil, err
	}
	if damaged, found := h.damagedRelease(key, revisions); found {
		return &damaged, nil
	}
	if len(revisions) == 0 {
		return nil, nil
	}
	newest := slices.MaxFunc(revisions, func(a, b *helm.Release) int { return a.Version - b.Version })
	observed, err := h.observe(key, newest)
	return &observed, err
}

func (h *History) list(ctx context.Context, namespace string) error {
	found, err := h.currentRevisions(ctx, namespace, "")
	if apierrors.IsForbidden(err) {
		err = fmt.Errorf("%w; a Role in namespace %s must allow it (and if there is no such namespace yet, a user who may create one "+
			"must run `kubectl create namespace %s` first)", err, namespace, namespace)
	}
	if err != nil {
		return kube.Classify(fmt.Sprintf("list the Helm releases in namespace %s", namespace), err)
	}
	slices.SortFunc(found, func(a, b *helm.Release) int { return a.Version - b.Version })
	records := map[release.Key][]*helm.Release{}
	for _, revision := range found {
		key := release.Key{Namespace: namespace, Name: revision.Name}
		records[key] = append(records[key], revision)
	}
	return h.take(namespace, records)
}

// take decodes the newest of the listed revisions.
func (h *History) take(namespace string, records map[release.Key][]*helm.Release) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, revisions := range records {
		observed, err := h.observe(key, revisions[len(revisions)-1])
		if err != nil {
			return err
		}
		if damaged, found := h.damagedRelease(key, revisions); found {
			observed = damaged
		}
		h.observed[key] = observed
	}
	for key, damaged := range h.damaged {
		if key.Namespace == namespace {
			h.observed[key] = damaged
		}
	}
	maps.Copy(h.records, records)
	h.listed.Insert(namespace)
	return nil
}

// Last is the newest revision that was observed.
func (h *History) Last(key release.Key) (*helm.Release, bool) {
	revisions := h.records[key]
	if len(revisions) == 0 {
		return nil, false
	}
	return revisions[len(revisions)-1], true
}

// Upgrades says whether the next revision is an upgrade. It is an installation when the last one was uninstalled, or when its
// installation was interrupted, or when it is being uninstalled.
func (h *History) Upgrades(key release.Key) bool {
	last, ok := h.Last(key)
	return ok && last.Info.Status != helm.StatusUninstalled && last.Info.Status != helm.StatusUninstalling && Interrupted(last) != release.Installing
}

// Revisions are the observed revisions of a release, newest last, without superseded ones.
func (h *History) Revisions(key release.Key) []*helm.Release { return h.records[key] }

// Keys are the releases that were observed.
func (h *History) Keys() iter.Seq[release.Key] { return maps.Keys(h.records) }

// Observed is the newest revision of a release, and whether there is one.
func (h *History) Observed(key release.Key) (release.Observed, bool) {
	observed, ok := h.observed[key]
	return observed, ok
}

// All are the newest revisions of all releases that were observed.
func (h *History) All() iter.Seq2[release.Key, release.Observed] { return maps.All(h.observed) }

// Trust makes the records that the instance's state names trusted. It must be called before releases are observed.
func (h *History) Trust(state release.InstanceState) { h.trusted = state }
