package action

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
)

// gated is a storage in which a write of each status waits until it is let through.
type gated struct {
	driver.Driver
	entered chan helm.Status
	gates   map[helm.Status]chan struct{}
	mu      sync.Mutex
	stored  []helm.Status
}

func (g *gated) Update(_ string, revision *helm.Release) error {
	encoded := revision.Info.Status
	g.entered <- encoded
	<-g.gates[encoded]
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stored = append(g.stored, encoded)
	return nil
}

// When an operation is interrupted, Helm may record a hook and the failure at once. The failure must be what stays.
func TestTheLastWordIsStoredLast(t *testing.T) {
	pending, failed := make(chan struct{}), make(chan struct{}, 1)
	storage := &gated{entered: make(chan helm.Status, 2), gates: map[helm.Status]chan struct{}{helm.StatusPendingUpgrade: pending, helm.StatusFailed: failed}}
	l := &recordingDriver{Driver: storage, ctx: t.Context(), mask: func(text string) string { return text }}
	revision := &helm.Release{Name: "web", Version: 2, Info: &helm.Info{Status: helm.StatusPendingUpgrade}}
	var both sync.WaitGroup
	update := func() { _ = l.Update("web.v2", revision) }
	both.Go(update)
	<-storage.entered
	revision.Info.Status = helm.StatusFailed
	failed <- struct{}{}
	both.Go(update)
	time.Sleep(50 * time.Millisecond) // in which it would be stored first, if anything let it
	close(pending)
	both.Wait()
	if want := []helm.Status{helm.StatusPendingUpgrade, helm.StatusFailed}; !slices.Equal(storage.stored, want) || l.status != helm.StatusFailed {
		t.Errorf("stored %v, known as %s", storage.stored, l.status)
	}
}

// Helm leaves goroutines behind. What one of them is writing is stored before the operation counts as over, and nothing afterwards.
func TestNothingIsStoredOnceTheOperationIsOver(t *testing.T) {
	pending := make(chan struct{})
	storage := &gated{entered: make(chan helm.Status, 2), gates: map[helm.Status]chan struct{}{helm.StatusPendingUpgrade: pending}}
	l := &recordingDriver{Driver: storage, ctx: t.Context(), mask: func(text string) string { return text }}
	revision := &helm.Release{Name: "web", Version: 2, Info: &helm.Info{Status: helm.StatusPendingUpgrade}}
	errs := make(chan error, 2)
	update := func() { errs <- l.Update("web.v2", revision) }
	go update()
	<-storage.entered
	go update() // waits for the first
	closed := make(chan []helm.Status)
	go func() {
		if err := l.close(t.Context()); err != nil {
			t.Error(err)
		}
		storage.mu.Lock()
		defer storage.mu.Unlock()
		closed <- slices.Clone(storage.stored)
	}()
	for !l.closed.Load() {
		time.Sleep(time.Millisecond)
	}
	close(pending)
	if stored := <-closed; len(stored) != 1 {
		t.Errorf("stored %v when the operation was over", stored)
	}
	if first, second := <-errs, <-errs; first != nil || !errors.Is(second, errClosed) {
		t.Errorf("the writes ended with %v and %v", first, second)
	}
	if err := l.Create("web.v3", revision); !errors.Is(err, errClosed) {
		t.Errorf("a late revision: %v", err)
	}
}
