package state

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestALongRunKeepsTheLock has time pass, and an API server that fails as it cannot be made to.
func TestALongRunKeepsTheLock(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "leases"}, "agent", errors.New("the object has been modified"))
	away := errors.New("connection refused")
	for name, test := range map[string]struct {
		answer  func(n int, at time.Duration) error // to the n-th renewal
		lost    string                              // what the run learns
		after   time.Duration                       // when
		renewed int
	}{
		"all is well":                             {answer: func(int, time.Duration) error { return nil }, renewed: 20},
		"an update whose answer was lost":         {answer: onlyThe(3, conflict), renewed: 20},
		"an outage that is over in time":          {answer: between(10*time.Second, 35*time.Second, away), renewed: 18},
		"an outage that lasts":                    {answer: between(20*time.Second, time.Hour, away), lost: "the lock could not be renewed for 40s: connection refused", after: 55 * time.Second, renewed: 1},
		"another client has deleted it":           {answer: onlyThe(2, apierrors.NewNotFound(schema.GroupResource{Resource: "leases"}, "agent")), lost: "the lock was lost: its Lease was deleted", after: 30 * time.Second, renewed: 1},
		"an outage that begins before the second": {answer: between(0, time.Hour, away), lost: "the lock could not be renewed for 40s", after: 40 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, n, renewed := time.Now(), 0, 0
				client := fake.NewClientset()
				client.PrependReactor("update", "leases", func(action clienttesting.Action) (bool, runtime.Object, error) {
					if lease := action.(clienttesting.UpdateAction).GetObject().(*coordination.Lease); lease.Spec.HolderIdentity == nil {
						return false, nil, nil
					}
					n++
					err := test.answer(n, time.Since(began))
					if err == nil {
						renewed++
					}
					return err != nil, nil, err
				})
				s := &Store{kube: &kube.Connection{Client: client, Namespace: "shop", Options: kube.Options{Instance: "agent", Log: slog.New(slog.DiscardHandler)}}}
				err := s.WithLock(t.Context(), Lock{found: time.Now()}, func(ctx context.Context, _ release.Run) error {
					select {
					case <-ctx.Done():
						return context.Cause(ctx)
					case <-time.After(5*time.Minute + time.Second):
						return nil
					}
				})
				if took := time.Since(began); test.lost != "" && took != test.after {
					t.Errorf("the run was stopped after %s", took)
				}
				if (err == nil) != (test.lost == "") || err != nil && (!strings.HasPrefix(err.Error(), test.lost) || exit.Of(err) != exit.Locked) {
					t.Errorf("got %v", err)
				}
				if renewed != test.renewed {
					t.Errorf("renewed %d times", renewed)
				}
			})
		})
	}
}

// TestAHolderWaitsForNoAnswerTooLong: the time that a holder waits for an answer of the API server counts as time without a renewal.
func TestAHolderWaitsForNoAnswerTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := kubernetes.NewForConfig(&rest.Config{Host: "http://api", Transport: slow(9 * time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		s := &Store{kube: &kube.Connection{Client: client, Namespace: "shop", Options: kube.Options{Instance: "agent", Log: slog.New(slog.DiscardHandler)}}}
		began, elapsed := time.Now(), time.Duration(0)
		err = s.WithLock(t.Context(), Lock{found: time.Now()}, func(ctx context.Context, _ release.Run) error {
			<-ctx.Done()
			elapsed = time.Since(began)
			return context.Cause(ctx)
		})
		if elapsed > renewWithin+lastRenewal || exit.Of(err) != exit.Locked {
			t.Errorf("the run was stopped after %s: %v", elapsed, err)
		}
	})
}

// slow is an API server that lets a Lease be created, and then fails everything after a while.
type slow time.Duration

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		return &http.Response{StatusCode: http.StatusCreated, Header: http.Header{"Content-Type": r.Header["Content-Type"]}, Body: r.Body}, nil
	}
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(time.Duration(s)):
		return nil, errors.New("connection reset")
	}
}

func onlyThe(which int, err error) func(int, time.Duration) error {
	return func(n int, _ time.Duration) error {
		if n == which {
			return err
		}
		return nil
	}
}

func between(from, to time.Duration, err error) func(int, time.Duration) error {
	return func(_ int, at time.Duration) error {
		if at >= from && at < to {
			return err
		}
		return nil
	}
}

// TestAHolderStopsBeforeOthersMayBegin: a run that must stop has ended before its lock expires.
func TestAHolderStopsBeforeOthersMayBegin(t *testing.T) {
	if stopped := renewWithin + lastRenewal + 2*kube.CleanupTimeout; stopped > leaseDuration {
		t.Errorf("a run that cannot renew its lock may write for %s, and the lock is good for %s", stopped, leaseDuration)
	}
}

func TestWhenALockIsHeld(t *testing.T) {
	now := time.Now()
	lease := func(who string, renewed time.Time) *coordination.Lease {
		seconds, at := int32(60), metav1.NewMicroTime(renewed)
		return &coordination.Lease{Spec: coordination.LeaseSpec{HolderIdentity: &who, LeaseDurationSeconds: &seconds, RenewTime: &at}}
	}
	for name, test := range map[string]struct {
		lock Lock
		held bool
	}{
		"there is none":                            {Lock{found: now}, false},
		"it is empty":                              {Lock{stored: &coordination.Lease{}, found: now}, false},
		"no run holds it":                          {Lock{stored: lease("", now), found: now}, false},
		"a run holds it":                           {Lock{stored: lease("a", now), found: now}, true},
		"a run whose clock is ahead holds it":      {Lock{stored: lease("a", now.Add(time.Hour)), found: now}, true},
		"its time is up, by a clock that may err":  {Lock{stored: lease("a", now.Add(-2*time.Minute)), found: now}, true},
		"its time is up, by any clock":             {Lock{stored: lease("a", now.Add(-2*time.Minute-time.Second)), found: now}, false},
		"this run has waited for the whole time":   {Lock{stored: lease("a", now.Add(time.Hour)), found: now.Add(-61 * time.Second)}, false},
		"this run has waited, but not long enough": {Lock{stored: lease("a", now), found: now.Add(-59 * time.Second)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.lock.held(now); got != test.held {
				t.Errorf("held: %t", got)
			}
		})
	}
}
