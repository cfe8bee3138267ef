package apply

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Writer changes the cluster. Install and Upgrade return the number of the newest revision, also when they fail.
type Writer interface {
	Install(ctx context.Context, want release.Desired, owner release.Owner) (revision int, err error)
	Upgrade(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (revision int, err error)
	// Correct makes live objects what the last revision says, without a new revision.
	Correct(ctx context.Context, have release.Observed, drifts []release.Drift) error
	// Adopt records whose the release is, without a new revision.
	Adopt(ctx context.Context, have release.Observed, owner release.Owner) error
	// Uninstall removes a release, unless it is no longer what was found.
	Uninstall(ctx context.Context, want release.Desired, have release.Observed) error
	// Prune uninstalls a release that nobody declares, unless it is no longer what was found.
	Prune(ctx context.Context, have release.Observed) error
}

// Do works through the plan, at most concurrency steps at a time. A failed step fails those that need it and nobody else.
// When ctx ends, steps that would write and have not begun are skipped. The outcomes are in the plan's order, one for each
// step.
func Do(ctx context.Context, p plan.Plan, w Writer, concurrency int, log *slog.Logger) []Outcome {
	r := &runner{
		writer:   w,
		log:      log,
		steps:    p.Steps,
		slots:    make(chan struct{}, concurrency),
		outcomes: make([]Outcome, len(p.Steps)),
		done:     map[release.Key]*progress{},
	}
	for i, step := range p.Steps {
		r.done[step.Key] = &progress{ended: make(chan struct{}), outcome: &r.outcomes[i]}
	}
	for _, phase := range phases(p) {
		r.phase(ctx, p, phase)
	}
	return r.outcomes
}

type runner struct {
	writer   Writer
	log      *slog.Logger
	steps    []plan.Step
	slots    chan struct{}
	outcomes []Outcome
	done     map[release.Key]*progress
}

// progress is closed when its outcome may be read.
type progress struct {
	ended   chan struct{}
	outcome *Outcome
}

func phases(p plan.Plan) []int {
	var all []int
	for _, step := range p.Steps {
		all = append(all, step.Phase)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (r *runner) phase(ctx context.Context, p plan.Plan, phase int) {
	var group sync.WaitGroup
	for i, step := range p.Steps {
		if step.Phase != phase {
			continue
		}
		group.Go(func() {
			defer close(r.done[step.Key].ended)
			r.outcomes[i] = r.step(ctx, step)
		})
	}
	group.Wait()
}

// step waits for its turn, then acts.
func (r *runner) step(ctx context.Context, s plan.Step) Outcome {
	r.await(ctx, s.After)
	if why := r.obstacle(ctx, s); why != nil {
		return skipped(s, why)
	}
	if !s.Verb.Writes() {
		return settled(s)
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return skipped(s, context.Cause(ctx))
	}
	return r.act(ctx, s)
}

// await returns when the steps have ended. A cycle, which helmfile refuses to load, would end here with ctx.
func (r *runner) await(ctx context.Context, steps []release.Key) {
	for _, key := range steps {
		select {
		case <-r.done[key].ended:
		case <-ctx.Done():
			return
		}
	}
}

// obstacle is why a step may not begin. Once ctx has ended, only writing is forbidden: what writes nothing is as it is.
func (r *runner) obstacle(ctx context.Context, s plan.Step) error {
	switch {
	case s.Verb == plan.Refuse:
		return nil // its own reason says more
	case ctx.Err() == nil && s.Verb == plan.Prune && r.failedBefore(s.Phase):
		return errors.New("a release failed in this run: a later run prunes")
	case ctx.Err() == nil:
		return r.failedNeed(s)
	case s.Verb.Writes():
		return context.Cause(ctx)
	default:
		return nil
	}
}

// failedBefore says whether anything went wrong in the phases before: whatever is undeclared may be somebody's way back.
func (r *runner) failedBefore(phase int) bool {
	for i, step := range r.steps {
		if step.Phase < phase && r.outcomes[i].Result != Done {
			return true
		}
	}
	return false
}

// failedNeed says which release kept this step's needs from being in place: the one that failed, however far away.
// Needs of a later phase cannot be in place: they are not waited for.
func (r *runner) failedNeed(s plan.Step) error {
	for _, key := range s.Needs {
		select {
		case <-r.done[key].ended:
		default:
			continue
		}
		switch needed := r.done[key].outcome; needed.Result {
		case Failed:
			return fmt.Errorf("%s failed", key)
		case Skipped:
			return needed.Err
		}
	}
	return nil
}

func (r *runner) act(ctx context.Context, s plan.Step) Outcome {
	r.log.Info("release started", "release", s.Key.String(), "action", s.Verb, "why", s.Why)
	outcome := Outcome{Step: s, Result: Done}
	start := time.Now()
	outcome.Revision, outcome.Err = r.write(ctx, s)
	outcome.Took = time.Since(start)
	log := r.log.With("release", s.Key.String(), "action", s.Verb, "revision", outcome.Revision, "took", outcome.Took.String())
	if outcome.Err != nil {
		outcome.Result = Failed
		log.Error("release failed", "error", outcome.Err)
	} else {
		log.Info("release done")
	}
	return outcome
}

func (r *runner) write(ctx context.Context, s plan.Step) (revision int, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			r.log.Error("panic", "release", s.Key.String(), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	switch s.Verb {
	case plan.Install:
		return r.writer.Install(ctx, *s.Want, s.Owner)
	case plan.Upgrade:
		return r.writer.Upgrade(ctx, *s.Want, *s.Have, s.Owner)
	case plan.Correct:
		return s.Have.Revision, r.correct(ctx, s)
	case plan.Adopt, plan.Relabel:
		return s.Have.Revision, r.writer.Adopt(ctx, *s.Have, s.Owner)
	case plan.Uninstall:
		return gone(s, r.writer.Uninstall(ctx, *s.Want, *s.Have))
	case plan.Prune:
		return gone(s, r.writer.Prune(ctx, *s.Have))
	default:
		return 0, fmt.Errorf("%q is not a step that writes", s.Verb)
	}
}

// correct makes live objects right, and records whose the release is if that is not known yet.
func (r *runner) correct(ctx context.Context, s plan.Step) error {
	err := r.writer.Correct(ctx, *s.Have, s.ToCorrect)
	if err != nil || s.Have.Owner == s.Owner {
		return err
	}
	return r.writer.Adopt(ctx, *s.Have, s.Owner)
}

// gone is the revision of a release that was uninstalled: none, unless that failed.
func gone(s plan.Step, err error) (int, error) {
	if err != nil {
		return revisionOf(s), err
	}
	return 0, nil
}

// settled is the outcome of a step that writes nothing.
func settled(s plan.Step) Outcome {
	outcome := Outcome{Step: s, Result: Done, Revision: revisionOf(s)}
	if s.Verb == plan.Refuse {
		outcome.Result, outcome.Err = Failed, errors.New(s.Why)
	}
	return outcome
}

func skipped(s plan.Step, why error) Outcome {
	return Outcome{Step: s, Result: Skipped, Revision: revisionOf(s), Err: why}
}

func revisionOf(s plan.Step) int {
	if s.Have == nil || s.Have.Status == "uninstalled" {
		return 0
	}
	return s.Have.Revision
}
