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

// Writer changes the cluster. Install and Upgrade return the newest revision, also when they fail.
type Writer interface {
	Install(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (revision int, err error)
	Upgrade(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (revision int, err error)
	// Correct makes live objects equal to the newest revision, without a new revision.
	Correct(ctx context.Context, have release.Observed, drifts []release.Drift) error
	// Adopt writes the owner to the labels of the release's record, without a new revision.
	Adopt(ctx context.Context, have release.Observed, owner release.Owner) error
	// Uninstall removes a release. It returns an error if its records have changed since they were observed.
	Uninstall(ctx context.Context, want release.Desired, have release.Observed) error
	// Prune uninstalls a release that is no longer declared. It returns an error if the release has
	// changed since it was observed.
	Prune(ctx context.Context, have release.Observed) error
}

// Execute executes the plan, at most concurrency steps at a time. If a step fails, the steps that need it are skipped; all
// others are executed. When ctx ends, the steps that write and have not begun are skipped. There is one outcome for each step,
// in the order of the plan.
func Execute(ctx context.Context, p plan.Plan, w Writer, concurrency int, log *slog.Logger) []Outcome {
	r := &runner{
		writer:   w,
		log:      log,
		steps:    p.Steps,
		slots:    make(chan struct{}, concurrency),
		outcomes: make([]Outcome, len(p.Steps)),
		done:     map[release.Key]*stepProgress{},
	}
	for i, step := range p.Steps {
		r.done[step.Key] = &stepProgress{ended: make(chan struct{}), outcome: &r.outcomes[i]}
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
	done     map[release.Key]*stepProgress
}

// stepProgress holds the outcome of a step. The channel ended is closed when the outcome may be read.
type stepProgress struct {
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

// step waits for the steps that come before it, and then executes the step.
func (r *runner) step(ctx context.Context, s plan.Step) Outcome {
	r.waitForSteps(ctx, s.After)
	if why := r.skipReason(ctx, s); why != nil {
		return skipped(s, why)
	}
	if !s.Verb.Writes() {
		return outcomeWithoutWrite(s)
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

// waitForSteps returns when the steps have ended. helmfile refuses cycles; if there were one, waitForSteps would end with ctx.
func (r *runner) waitForSteps(ctx context.Context, steps []release.Key) {
	for _, key := range steps {
		select {
		case <-r.done[key].ended:
		case <-ctx.Done():
			return
		}
	}
}

// skipReason says why a step must be skipped. After ctx has ended, only steps that write are skipped.
func (r *runner) skipReason(ctx context.Context, s plan.Step) error {
	switch {
	case s.Verb == plan.Refuse:
		return nil // the reason of the step itself is more useful
	case ctx.Err() == nil && s.Verb == plan.Prune && r.failedBefore(s.Phase):
		return errors.New("a release failed in this run: a later run without failures prunes it")
	case ctx.Err() == nil:
		return r.failedNeed(s)
	case s.Verb.Writes():
		return context.Cause(ctx)
	default:
		return nil
	}
}

// failedBefore says whether a step of an earlier phase is not done. Then nothing is pruned: the user may need the old release as
// long as the new one does not work.
func (r *runner) failedBefore(phase int) bool {
	for i, step := range r.steps {
		if step.Phase < phase && r.outcomes[i].Result != Done {
			return true
		}
	}
	return false
}

// failedNeed returns an error that names the failed release, if a need of this step is not done. The failed release may be an
// indirect need. It ignores needs of a later phase: this step does not wait for them.
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
		return r.writer.Install(ctx, *s.Want, observed(s), s.Owner)
	case plan.Upgrade:
		return r.writer.Upgrade(ctx, *s.Want, *s.Have, s.Owner)
	case plan.Correct:
		return s.Have.Revision, r.correct(ctx, s)
	case plan.Adopt, plan.Relabel:
		return s.Have.Revision, r.writer.Adopt(ctx, *s.Have, s.Owner)
	case plan.Uninstall:
		return revisionAfterRemoval(s, r.writer.Uninstall(ctx, *s.Want, *s.Have))
	case plan.Prune:
		return revisionAfterRemoval(s, r.writer.Prune(ctx, *s.Have))
	default:
		return 0, fmt.Errorf("%q is not a step that writes", s.Verb)
	}
}

// observed is zero for a release that Helm's storage does not have.
func observed(s plan.Step) release.Observed {
	if s.Have == nil {
		return release.Observed{Key: s.Key}
	}
	return *s.Have
}

// correct corrects live objects, and then writes the owner to the record if it differs.
func (r *runner) correct(ctx context.Context, s plan.Step) error {
	err := r.writer.Correct(ctx, *s.Have, s.ToCorrect)
	if err != nil || s.Have.Owner == s.Owner {
		return err
	}
	return r.writer.Adopt(ctx, *s.Have, s.Owner)
}

// revisionAfterRemoval is the newest revision after an uninstall: 0, or the former one if the uninstall failed.
func revisionAfterRemoval(s plan.Step, err error) (int, error) {
	if err != nil {
		return revisionOf(s), err
	}
	return 0, nil
}

// outcomeWithoutWrite is the outcome of a step that does not write.
func outcomeWithoutWrite(s plan.Step) Outcome {
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
