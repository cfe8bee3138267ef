package state

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

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
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

// Lock is an instance's Lease as it was found before the run looked at the cluster. A client that changes the Lease afterwards may have
// changed more.
type Lock struct {
	stored *coordination.Lease // nil when there is none
	found  time.Time
	dead   bool  // the pod of its holder has ended, or is gone
	err    error // it may not be read
}

// Lease is what the plan needs to know of it.
func (l Lock) Lease() release.Lease {
	if l.stored == nil {
		return release.Lease{}
	}
	run := runOf(l.stored)
	return release.Lease{ID: run.Lease, Holder: run.Holder, Held: l.held(time.Now())}
}

// runOf identifies the run that holds the Lease, or held it last.
func runOf(lease *coordination.Lease) release.Run {
	run := release.Run{Lease: string(lease.UID)[:min(idLength, len(lease.UID))], Holder: holderOf(lease)}
	if i := strings.LastIndexByte(run.Holder, '_'); i >= 0 {
		run.Holder = run.Holder[i+1:]
	}
	if transitions := lease.Spec.LeaseTransitions; transitions != nil {
		run.Transitions = int(*transitions)
	}
	return run
}

// idLength is how much of a UID is in a label: all of it would not fit.
const idLength = 8

// Exists says whether there is a Lease, held or not.
func (l Lock) Exists() bool { return l.stored != nil }

func (s *Store) leases() typed.LeaseInterface {
	return s.kube.Client.CoordinationV1().Leases(s.kube.Namespace)
}

// Lock reads the instance's Lease. Who may not read it can still find out that there is nothing to write.
func (s *Store) Lock(ctx context.Context) (Lock, error) {
	stored, err := s.leases().Get(ctx, s.kube.LeaseName(), metav1.GetOptions{})
	reading := fmt.Sprintf("read the lock of instance %s at %s", s.kube.Options.Instance, s.kube.Config.Host) // the first word with the cluster
	switch {
	case apierrors.IsNotFound(err):
		return Lock{found: time.Now()}, nil
	case apierrors.IsForbidden(err):
		return Lock{err: kube.Classify(reading, err)}, nil
	case err != nil:
		return Lock{}, kube.Classify(reading, err)
	}
	if err := s.checkOwn("Lease", stored, holderPhrase(stored)); err != nil {
		return Lock{}, err
	}
	found := Lock{stored: stored, found: time.Now()}
	found.dead = found.held(found.found) && s.holderHasEnded(ctx, stored)
	return found, nil
}

// WithLock holds the instance's lock while do runs, with a context that ends when the lock is lost, and the identity of the run. If another run holds the lock, or held
// it since it was found, it returns an error with exit.Locked and does not call do.
func (s *Store) WithLock(ctx context.Context, found Lock, do func(context.Context, release.Run) error) error {
	h, err := s.take(ctx, found)
	if err != nil {
		return err
	}
	run := runOf(h.stored)
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
		s.giveBack(ctx, h)
		lost(nil)
	}()
	return do(ctx, run)
}

// take makes the Lease this run's, if it is as it was found and no run holds it. The API server lets only one run do that.
func (s *Store) take(ctx context.Context, found Lock) (*heldLease, error) {
	if found.err != nil {
		return nil, found.err
	}
	h := &heldLease{leases: s.leases(), who: identity()}
	now := time.Now()
	if found.held(now) {
		return nil, s.locked(ctx)
	}
	var err error
	if found.stored == nil {
		h.stored, err = h.leases.Create(ctx, s.inThisPod(s.lease(h.who, now)), metav1.CreateOptions{})
	} else {
		h.stored, err = h.leases.Update(ctx, s.inThisPod(takenOver(found.stored, h.who, now)), metav1.UpdateOptions{}) // its resourceVersion is what it was found by
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
		return nil, s.locked(ctx)
	}
	if err == nil {
		s.kube.Options.Log.Info("lock taken", "lease", s.kube.LeaseName(), "holder", h.who)
	}
	return h, kube.Classify("take the lock of instance "+s.kube.Options.Instance, err)
}

// held says whether another run may still be writing. Clocks of nodes differ, so a renewal counts for longer than its writer meant,
// unless this run itself has waited for that long since.
func (l Lock) held(now time.Time) bool {
	if l.dead || l.stored == nil || holderOf(l.stored) == "" || l.stored.Spec.RenewTime == nil {
		return false
	}
	counts := leaseDuration
	if seconds := l.stored.Spec.LeaseDurationSeconds; seconds != nil {
		counts = time.Duration(*seconds) * time.Second
	}
	return now.Sub(l.stored.Spec.RenewTime.Time) <= counts+leaseSkew && now.Sub(l.found) <= counts
}

// locked says who is in the way.
func (s *Store) locked(ctx context.Context) error {
	name := s.kube.Namespace + "/" + s.kube.LeaseName()
	current, err := s.leases().Get(ctx, s.kube.LeaseName(), metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return kube.Classify("read who holds the lock of instance "+s.kube.Options.Instance, err)
	}
	if err != nil || holderOf(current) == "" {
		return exit.With(exit.Locked, fmt.Errorf("another run held the lock (Lease %s) while this one looked, so what was seen may not be "+
			"true any more: nothing was changed, and the next run looks anew", name))
	}
	return exit.With(exit.Locked, fmt.Errorf("another run holds the lock: %s since %s (Lease %s, renewed at %s): nothing was changed",
		holderOf(current), timeOf(current.Spec.AcquireTime), name, timeOf(current.Spec.RenewTime)))
}

func (s *Store) lease(who string, now time.Time) *coordination.Lease {
	return takenOver(&coordination.Lease{ObjectMeta: metav1.ObjectMeta{
		Name:      s.kube.LeaseName(),
		Namespace: s.kube.Namespace,
		Labels:    s.ownLabels(),
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
	return host + "_" + strings.ToLower(rand.Text()[:idLength])
}

func holderOf(lease *coordination.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// holderPhrase names the holder of the Lease, as an addition to a sentence.
func holderPhrase(lease *coordination.Lease) string {
	if holder := holderOf(lease); holder != "" {
		return " and is held by " + holder
	}
	return ""
}

func timeOf(at *metav1.MicroTime) string {
	if at == nil {
		return "an unknown time"
	}
	return at.UTC().Format(time.RFC3339)
}
