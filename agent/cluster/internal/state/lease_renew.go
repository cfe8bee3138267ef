package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

const (
	renewEvery   = 15 * time.Second
	retryEvery   = 5 * time.Second // after a renewal that failed
	renewTimeout = 10 * time.Second
	lastRenewal  = time.Second // is what the last attempt is given, when the time is up
	// renewWithin is how long a holder goes on without a renewal. What it then still does, see cleanupTimeout, is over before
	// leaseDuration is.
	renewWithin = 40 * time.Second
)

// heldLease is a Lease that this run holds. It is not safe for concurrent use.
type heldLease struct {
	leases typed.LeaseInterface
	who    string
	stored *coordination.Lease // as it was written last
	lost   bool                // another's to give back
}

// keep renews the Lease until ctx ends, or reports why it is lost.
func (h *heldLease) keep(ctx context.Context, lost context.CancelCauseFunc) {
	last, next := time.Now(), renewEvery
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(next):
		}
		began, end := time.Now(), last.Add(renewWithin)
		err := h.renew(ctx, end)
		switch {
		case err == nil:
			last, next = began, renewEvery
		case ctx.Err() != nil:
			return
		case exit.Of(err) == exit.Locked:
			lost(err)
			return
		case !time.Now().Before(end):
			lost(exit.With(exit.Locked, fmt.Errorf("the lock could not be renewed for %s: %w", time.Since(last).Round(time.Second), err)))
			return
		default:
			next = min(retryEvery, time.Until(end))
		}
	}
}

// renew does not outlast end, which is when the holder gives up.
func (h *heldLease) renew(ctx context.Context, end time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, max(lastRenewal, min(renewTimeout, time.Until(end))))
	defer cancel()
	return h.update(ctx, func(spec *coordination.LeaseSpec) {
		now := metav1.NowMicro()
		spec.RenewTime = &now
	})
}

// update changes the Lease while it is this run's. One that others touched without taking it, or whose last update was
// written though its answer was lost, is read again.
func (h *heldLease) update(ctx context.Context, change func(*coordination.LeaseSpec)) error {
	err := h.write(ctx, change)
	if apierrors.IsConflict(err) {
		current, readErr := h.leases.Get(ctx, h.stored.Name, metav1.GetOptions{})
		switch {
		case readErr != nil:
			err = readErr
		case holderOf(current) != h.who:
			h.lost = true
			return lostTo(holderOf(current))
		default:
			h.stored = current
			err = h.write(ctx, change)
		}
	}
	if apierrors.IsNotFound(err) {
		h.lost = true
		return exit.With(exit.Locked, errors.New("the lock was lost: its Lease was deleted"))
	}
	return err
}

func lostTo(who string) error {
	if who == "" {
		return exit.With(exit.Locked, errors.New("the lock was lost: its holder was removed from the Lease"))
	}
	return exit.With(exit.Locked, fmt.Errorf("the lock was lost: %s holds it now", who))
}

func (h *heldLease) write(ctx context.Context, change func(*coordination.LeaseSpec)) error {
	next := h.stored.DeepCopy()
	change(&next.Spec)
	written, err := h.leases.Update(ctx, next, metav1.UpdateOptions{})
	if err == nil {
		h.stored = written
	}
	return err
}

// giveBack releases the Lease, however the run ended, or deletes it together with the state. A Lease that stays behind expires.
func (s *Store) giveBack(ctx context.Context, h *heldLease) {
	if h.lost {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseTimeout)
	defer cancel()
	err := h.release(ctx)
	if err == nil && s.deleted {
		err = h.remove(ctx)
	}
	if err != nil && !h.lost {
		s.kube.Options.Log.Warn("lock not given back: it expires by itself", "lease", s.kube.LeaseName(), "holder", h.who, "error", err)
	}
}

func (h *heldLease) release(ctx context.Context) error {
	return h.update(ctx, func(spec *coordination.LeaseSpec) { spec.HolderIdentity = nil })
}

// remove deletes the Lease unless another run has taken it since it was released.
func (h *heldLease) remove(ctx context.Context) error {
	as := h.stored.ResourceVersion
	err := h.leases.Delete(ctx, h.stored.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &as}})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
