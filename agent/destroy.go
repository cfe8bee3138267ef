package agent

import (
	"cmp"
	"context"
	"slices"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// Confirm asks whether to go on with what the report plans. An error means no. It must return when its context ends.
type Confirm func(ctx context.Context, planned report.Report) error

// Destroy uninstalls everything that the instance owns, and deletes the state and the lock. It needs no repository.
func (a *Agent) Destroy(ctx context.Context, confirm Confirm) report.Report {
	stages := []stage{
		(*session).connect,
		(*session).readLock,
		(*session).discover,
		(*session).loadOwnedNamespaces,
		(*session).observeOwned,
		(*session).planDestroy,
	}
	if !a.config.DryRun {
		stages = append(stages,
			askFirst(confirm),
			(*session).checkDestroyRights,
			(*session).makeWriter,
			(*session).destroy,
		)
	}
	return a.do(ctx, config.Destroy, stages...)
}

func (s *session) discover(ctx context.Context) error { return s.reader.Discover(ctx) }

// loadOwnedNamespaces reads from the state in which namespaces the instance may own releases.
func (s *session) loadOwnedNamespaces(ctx context.Context) error {
	err := s.loadState(ctx)
	s.warnAboutLostState()
	return err
}

// observeOwned must be able to read every namespace of the state. Otherwise releases would be left behind without a state that names
// them.
func (s *session) observeOwned(ctx context.Context) (err error) {
	s.observed, _, err = s.reader.Observe(ctx, s.previous.Namespaces, nil)
	return cmp.Or(err, s.maskObserved())
}

func (s *session) planDestroy(context.Context) error {
	policy := plan.Policy{Instance: s.config.Instance, AbandonedAfter: s.abandonedAfter(), Lease: s.lock.Lease()}
	s.setPlan(plan.Destroy(s.observed, s.previous.InstanceState, policy, s.report.Started))
	return nil
}

func askFirst(confirm Confirm) stage {
	return func(s *session, ctx context.Context) error {
		return confirm(ctx, s.report.Masked(s.mask.String))
	}
}

func (s *session) checkDestroyRights(ctx context.Context) error {
	if s.nothingToDestroy() {
		return nil
	}
	return s.reader.PreflightDestroy(ctx, changes(s.plan))
}

func (s *session) destroy(ctx context.Context) error {
	if s.nothingToDestroy() {
		return nil
	}
	return s.withLock(ctx, s.uninstallOwned)
}

func (s *session) nothingToDestroy() bool {
	return len(s.plan.Changes()) == 0 && !s.previous.Exists() && !s.lock.Exists()
}

// uninstallOwned keeps the state if a release is left, so that the next destroy finds it.
func (s *session) uninstallOwned(ctx context.Context) error {
	s.report.Outcomes = apply.Execute(ctx, s.plan, s.writer, s.config.Concurrency, s.log)
	if slices.ContainsFunc(s.report.Outcomes, isLeft) {
		return nil
	}
	return s.writer.DeleteState(ctx)
}

// isLeft says that the release was not uninstalled.
func isLeft(o apply.Outcome) bool { return o.Result != apply.Done || o.Verb == plan.Hold }
