package cluster

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

const (
	// leaseDuration is how long a holder's last sign of life counts. The holder itself gives up well before, see keep.
	leaseDuration = 60 * time.Second
	// leaseSkew is by how much the clocks of two nodes may differ.
	leaseSkew = 60 * time.Second
	// leaseTimeout bounds what is still done about the lock once a run has ended or was told to.
	leaseTimeout = 3 * time.Second
)

// Lock is an instance's Lease as it was found before the run looked at the cluster. Whoever changes it afterwards may have
// changed more.
type Lock struct {
	stored *coordination.Lease // nil when there is none
	found  time.Time
	err    error // it may not be read
}

// Exists says whether there is a Lease, held or not.
func (l Lock) Exists() bool { return l.stored != nil }

func (c *Connection) leases() typed.LeaseInterface {
	return c.Client.CoordinationV1().Leases(c.Namespace)
}

// LeaseName is the Lease of an instance, in the agent's own namespace.
func (c *Connection) LeaseName() string { return c.Options.Instance }

// Lock reads the instance's Lease. Who may not read it can still find out that there is nothing to write.
func (r *Reader) Lock(ctx context.Context) (Lock, error) {
	stored, err := r.c.leases().Get(ctx, r.c.LeaseName(), metav1.GetOptions{})
	reading := fmt.Sprintf("read the lock of instance %s at %s", r.c.Options.Instance, r.c.Config.Host) // the first word with the cluster
	switch {
	case apierrors.IsNotFound(err):
		return Lock{found: time.Now()}, nil
	case apierrors.IsForbidden(err):
		return Lock{err: Classify(reading, err)}, nil
	case err != nil:
		return Lock{}, Classify(reading, err)
	}
	r.leased = true
	return Lock{stored: stored, found: time.Now()}, nil
}

// locking are the rights to take the lock, to keep it and to give it back.
func (r *Reader) leaseRights() []right {
	verbs := []string{"get", "update"}
	if !r.leased {
		verbs = append(verbs, "create")
	}
	return r.own("coordination.k8s.io", "leases", r.c.LeaseName(), verbs...)
}

// WithLock holds the instance's lock while it does something, with a context that ends when the lock is lost. Somebody who holds
// it, or held it since it was found, is an error with exit.Locked, and nothing is done.
func (w *Writer) WithLock(ctx context.Context, found Lock, do func(context.Context) error) error {
	h, err := w.take(ctx, found)
	if err != nil {
		return err
	}
	ctx, lost := context.WithCancelCause(ctx)
	renewing, stop := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		h.keep(renewing, lost)
	}()
	defer func() {
		stop()
		<-over
		w.giveBack(ctx, h)
		lost(nil)
	}()
	return do(ctx)
}

// take makes the Lease this run's, if it is as it was found and nobody's. The API server lets only one run do that.
func (w *Writer) take(ctx context.Context, found Lock) (*heldLease, error) {
	if found.err != nil {
		return nil, found.err
	}
	h := &heldLease{leases: w.c.leases(), who: identity()}
	now := time.Now()
	if found.held(now) {
		return nil, w.locked(ctx)
	}
	var err error
	if found.stored == nil {
		h.stored, err = h.leases.Create(ctx, w.lease(h.who, now), metav1.CreateOptions{})
	} else {
		h.stored, err = h.leases.Update(ctx, takenOver(found.stored, h.who, now), metav1.UpdateOptions{}) // its resourceVersion is what it was found by
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
		return nil, w.locked(ctx)
	}
	if err == nil {
		w.c.Options.Log.Info("lock taken", "lease", w.c.LeaseName(), "holder", h.who)
	}
	return h, Classify("take the lock of instance "+w.c.Options.Instance, err)
}

// held says whether somebody may still be at work. Clocks differ: the last sign of life counts for longer than its writer
// means it to, unless this run itself has waited for that long since.
func (l Lock) held(now time.Time) bool {
	if l.stored == nil || holderOf(l.stored) == "" || l.stored.Spec.RenewTime == nil {
		return false
	}
	counts := leaseDuration
	if seconds := l.stored.Spec.LeaseDurationSeconds; seconds != nil {
		counts = time.Duration(*seconds) * time.Second
	}
	return now.Sub(l.stored.Spec.RenewTime.Time) <= counts+leaseSkew && now.Sub(l.found) <= counts
}

// locked says who is in the way.
func (w *Writer) locked(ctx context.Context) error {
	name := w.c.Namespace + "/" + w.c.LeaseName()
	current, err := w.c.leases().Get(ctx, w.c.LeaseName(), metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return Classify("read who holds the lock of instance "+w.c.Options.Instance, err)
	}
	if err != nil || holderOf(current) == "" {
		return exit.With(exit.Locked, fmt.Errorf("another run held the lock (Lease %s) while this one looked, so what was seen may not be "+
			"true any more: nothing was changed, and the next run looks anew", name))
	}
	return exit.With(exit.Locked, fmt.Errorf("another run holds the lock: %s since %s (Lease %s, renewed at %s): nothing was changed",
		holderOf(current), timeOf(current.Spec.AcquireTime), name, timeOf(current.Spec.RenewTime)))
}

func (w *Writer) lease(who string, now time.Time) *coordination.Lease {
	return takenOver(&coordination.Lease{ObjectMeta: metav1.ObjectMeta{
		Name:      w.c.LeaseName(),
		Namespace: w.c.Namespace,
		Labels: map[string]string{
			"app.kubernetes.io/managed-by": "helmfile-agent",
			release.InstanceLabel:          w.c.Options.Instance,
		},
	}}, who, now)
}

func takenOver(found *coordination.Lease, who string, now time.Time) *coordination.Lease {
	taken := found.DeepCopy()
	transitions := int32(1)
	if before := found.Spec.LeaseTransitions; before != nil {
		transitions += *before
	}
	seconds, at := int32(leaseDuration/time.Second), metav1.NewMicroTime(now)
	taken.Spec = coordination.LeaseSpec{
		HolderIdentity:       &who,
		LeaseDurationSeconds: &seconds,
		AcquireTime:          &at,
		RenewTime:            &at,
		LeaseTransitions:     &transitions,
	}
	return taken
}

// identity names this process to a person: in a pod the host's name is the pod's.
func identity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	return host + "_" + strings.ToLower(rand.Text()[:8])
}

func holderOf(lease *coordination.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

func timeOf(at *metav1.MicroTime) string {
	if at == nil {
		return "an unknown time"
	}
	return at.UTC().Format(time.RFC3339)
}
