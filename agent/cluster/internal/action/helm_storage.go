package action

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/templates"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// recordingDriver is Helm's storage for one operation. It knows the revision that the operation made, and how it was stored last. Once
// the operation is over nothing more gets in: Helm leaves goroutines behind.
type recordingDriver struct {
	driver.Driver
	mask      func(string) string
	templates *templates.Templates // of the revision that is made; nil if none is rendered
	found     atomic.Int64         // the newest revision that was read
	closed    atomic.Bool

	expected expected
	run      release.Run
	ctx      context.Context // of the operation: what fails after its end was interrupted
	removing bool            // the operation is an uninstallation
	short    bool            // the operation has less time than the release may take, because the run has to end

	operation  release.Operation // that the pending records of this operation name
	unfinished release.Operation // that a record which is given up names

	// writing is held while a revision is encoded and stored. Helm does so in two goroutines when it is interrupted, and what was
	// encoded first must not be stored last.
	writing sync.Mutex

	mu     sync.Mutex
	made   *helm.Release // nil when none was stored
	record release.Record
	last   *helm.Release // the newest that was written and is there: made, or one that changed
	status helm.Status   // of last as it was stored: in memory it changes first
}

var errClosed = errors.New("the operation is over")

// Create implements driver.Creator.
func (l *recordingDriver) Create(key string, revision *helm.Release) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.closed.Load() {
		return errClosed
	}
	if l.templates != nil {
		l.templates.RestoreChart()
	}
	l.describe(revision)
	stored := l.stamped(revision)
	status := stored.Info.Status
	record := release.Record{Revision: revision.Version, Digest: history.DigestOf(revision)}
	err := l.Driver.Create(key, stored)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.made, l.record, l.last, l.status = revision, record, revision, status
	}
	return err
}

// Update implements driver.Updator.
func (l *recordingDriver) Update(key string, revision *helm.Release) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.closed.Load() {
		return errClosed
	}
	l.describe(revision)
	stored := l.stamped(revision) // a copy: Helm may change the revision while it is stored
	status := stored.Info.Status
	err := l.Driver.Update(key, stored)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && (l.last == nil || l.last.Version <= revision.Version) {
		l.last, l.status = revision, status
	}
	return err
}

// giveUp marks a revision as failed that another Helm client left, or an earlier run. The record still says what was interrupted.
func (l *recordingDriver) giveUp(revision *helm.Release, unfinished release.Operation) error {
	l.unfinished = unfinished
	defer func() { l.unfinished = "" }()
	return l.Update(kube.RecordName(history.KeyOf(revision), revision.Version), revision)
}

// close ends the operation: it waits for a write that is under way until ctx ends, and lets no other begin.
func (l *recordingDriver) close(ctx context.Context) error {
	l.closed.Store(true)
	return kube.Interruptibly(ctx, func() error {
		l.writing.Lock()
		defer l.writing.Unlock()
		return nil
	})
}

// stamped is a copy of the revision with the label of this run. It says what is left to do: of a pending revision the operation itself,
// of a failed one the operation if it was interrupted.
func (l *recordingDriver) stamped(revision *helm.Release) *helm.Release {
	stored, info := *revision, *revision.Info
	stored.Info, stored.Labels = &info, maps.Clone(revision.Labels)
	if operation := history.OperationOf(info.Status); operation != "" {
		l.operation = operation
	}
	var left release.Operation
	switch {
	case history.OperationOf(info.Status) != "":
		left = l.operation
	case info.Status == helm.StatusFailed && l.unfinished != "":
		left = l.unfinished
	case info.Status == helm.StatusFailed && (l.ctx.Err() != nil || l.short && timedOut(info.Description)):
		left = l.operation
	}
	history.SetRun(&stored, l.run, left)
	return &stored
}

// describe masks the words in which `helm history` says what happened: an error may quote a value.
func (l *recordingDriver) describe(revision *helm.Release) {
	if revision.Info != nil {
		revision.Info.Description = l.mask(revision.Info.Description)
	}
}

// expected are the records that an operation may act on.
type expected struct {
	digests map[int]string // of revisions that must not have changed; nil: not checked
	newest  int            // no other client may have made a newer revision
	values  bool           // the values of a deployed revision are reused, so its digest must be among the digests
}

// expect is what was observed of a release.
func expect(have release.Observed) expected {
	e := expected{digests: map[int]string{have.Revision: have.Digest}, newest: have.Revision}
	if last := have.LastDeployed; last.Revision > 0 && last.Revision != have.Revision {
		e.digests[last.Revision] = last.Digest
	}
	return e
}

// Get implements driver.Queryor.
func (l *recordingDriver) Get(key string) (*helm.Release, error) {
	revision, err := l.Driver.Get(key)
	if err != nil {
		return nil, err
	}
	return revision, l.check(revision)
}

// List implements driver.Queryor.
func (l *recordingDriver) List(filter func(*helm.Release) bool) ([]*helm.Release, error) {
	revisions, err := l.Driver.List(filter)
	return revisions, errors.Join(err, l.check(revisions...))
}

// Query implements driver.Queryor.
func (l *recordingDriver) Query(labels map[string]string) ([]*helm.Release, error) {
	revisions, err := l.Driver.Query(labels)
	if err != nil {
		return nil, err
	}
	for _, revision := range revisions {
		l.found.Store(max(l.found.Load(), int64(revision.Version)))
	}
	return revisions, l.check(revisions...)
}

// newest is the newest revision that Helm has read.
func (l *recordingDriver) newest() int { return int(l.found.Load()) }

// check refuses records that are not as they were observed: another client has written them since.
func (l *recordingDriver) check(revisions ...*helm.Release) error {
	if l.expected.digests == nil {
		return nil
	}
	made := l.version()
	for _, revision := range revisions {
		digest, known := l.expected.digests[revision.Version]
		switch {
		case revision.Version == made:
		case revision.Version > l.expected.newest,
			known && (digest == "" || digest != history.DigestOf(revision)),
			!known && l.expected.values && revision.Info.Status == helm.StatusDeployed:
			return fmt.Errorf("revision %d was changed by another client since this run read it: nothing is done, and the next run looks again", revision.Version)
		}
	}
	return nil
}

var errRecordKept = errors.New("the record is kept, so that the next run continues to uninstall the release")

// Delete implements driver.Deletor. When an uninstallation is interrupted, Helm deletes the record all the same: the objects that are
// left would belong to no release any more, and no later run would remove them.
func (l *recordingDriver) Delete(key string) (*helm.Release, error) {
	if l.removing && l.ctx.Err() != nil {
		return nil, errRecordKept
	}
	deleted, err := l.Driver.Delete(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && l.last != nil && l.last.Version == deleted.Version {
		l.last = nil
	}
	return deleted, err
}

// version is that of the revision that was made; 0 when there is none.
func (l *recordingDriver) version() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil {
		return 0
	}
	return l.made.Version
}

// markFailed marks what the operation left unfinished as failed, and returns why it failed.
func (l *recordingDriver) markFailed(ctx context.Context, cause error) error {
	l.mu.Lock()
	last, status := l.last, l.status
	l.mu.Unlock()
	if last == nil || !history.IsUnfinished(status) {
		return cause
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), kube.CleanupTimeout)
	defer cancel()
	last.SetStatus(helm.StatusFailed, fmt.Sprintf("Release %q failed while %s: %s", last.Name, status, cause))
	err := kube.Interruptibly(ctx, func() error { return l.Update(kube.RecordName(history.KeyOf(last), last.Version), last) })
	if err != nil {
		return fmt.Errorf("%w; that revision %d failed could not be recorded: %w", cause, last.Version, err)
	}
	return cause
}
