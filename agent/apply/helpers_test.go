package apply

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// fakeWriter calls its function fields. Without a function, an operation takes a second and succeeds. It records the start and the
// end of each operation since it was created. The tests run in synctest bubbles, so these times are exact.
type fakeWriter struct {
	install   func(context.Context, release.Desired) (int, error)
	upgrade   func(context.Context, release.Desired, release.Observed) (int, error)
	adopt     func(context.Context, release.Observed) error
	uninstall func(context.Context, release.Desired) error
	prune     func(context.Context, release.Observed) error

	mu      sync.Mutex
	created time.Time
	spans   []span
	owners  []release.Owner // the owner arguments
}

type span struct {
	name       string
	start, end time.Duration
}

func newWriter() *fakeWriter { return &fakeWriter{created: time.Now()} }

func (f *fakeWriter) Install(ctx context.Context, want release.Desired, _ release.Observed, owner release.Owner) (int, error) {
	defer f.span(want.Name, owner)()
	if f.install == nil {
		return 1, work(ctx)
	}
	return f.install(ctx, want)
}

func (f *fakeWriter) Upgrade(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (int, error) {
	defer f.span(want.Name, owner)()
	if f.upgrade == nil {
		return have.Revision + 1, work(ctx)
	}
	return f.upgrade(ctx, want, have)
}

func (f *fakeWriter) Uninstall(ctx context.Context, want release.Desired, _ release.Observed) error {
	defer f.span(want.Name)()
	if f.uninstall == nil {
		return work(ctx)
	}
	return f.uninstall(ctx, want)
}

func (f *fakeWriter) Correct(ctx context.Context, have release.Observed, _ []release.Drift) error {
	defer f.span(have.Name)()
	return work(ctx)
}

func (f *fakeWriter) Adopt(ctx context.Context, have release.Observed, owner release.Owner) error {
	defer f.span(have.Name, owner)()
	if f.adopt == nil {
		return work(ctx)
	}
	return f.adopt(ctx, have)
}

func (f *fakeWriter) Prune(ctx context.Context, have release.Observed) error {
	defer f.span(have.Name)()
	if f.prune == nil {
		return work(ctx)
	}
	return f.prune(ctx, have)
}

// work takes a second. It ends earlier when ctx ends.
func work(ctx context.Context) error {
	select {
	case <-time.After(time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fakeWriter) span(name string, owners ...release.Owner) (end func()) {
	start := time.Since(f.created)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.owners = append(f.owners, owners...)
		f.spans = append(f.spans, span{name, start, time.Since(f.created)})
	}
}

// timeline lists the operations as "name start–end", ordered by start and name.
func (f *fakeWriter) timeline() []string {
	slices.SortFunc(f.spans, func(a, b span) int {
		if a.start != b.start {
			return int(a.start - b.start)
		}
		return strings.Compare(a.name, b.name)
	})
	var lines []string
	for _, s := range f.spans {
		lines = append(lines, fmt.Sprintf("%s %s–%s", s.name, s.start, s.end))
	}
	return lines
}

func key(name string) release.Key { return release.Key{Namespace: "shop", Name: name} }

// step is a step whose needs are in the same phase. The phase is 0 for uninstalls, 2 for prunes and 1 for all others.
func step(name string, verb plan.Verb, needs ...string) plan.Step {
	s := plan.Step{Key: key(name), Verb: verb, Why: "because", Want: &release.Desired{Key: key(name)}, Phase: 1}
	s.Owner = release.Owner{Instance: "mine", Origin: name}
	for _, need := range needs {
		s.Needs = append(s.Needs, key(need))
	}
	s.After = s.Needs
	switch verb {
	case plan.Install, plan.Refuse:
		return s
	case plan.Uninstall:
		s.Phase = 0
	case plan.Prune:
		s.Phase, s.Want = 2, nil
	case plan.Mark, plan.Orphan, plan.Hold:
		s.Phase, s.Want = 0, nil
	}
	s.Have = &release.Observed{Key: key(name), Revision: 7, Status: "deployed"}
	return s
}

func of(steps ...plan.Step) plan.Plan { return plan.Plan{Steps: steps} }

func execute(ctx context.Context, p plan.Plan, w Writer, concurrency int) []Outcome {
	return Execute(ctx, p, w, concurrency, slog.New(slog.NewTextHandler(io.Discard, nil)))
}

// results lists the outcomes as "name: result", or "name: result: error".
func results(outcomes []Outcome) []string {
	var lines []string
	for _, o := range outcomes {
		line := fmt.Sprintf("%s: %s", o.Name, o.Result)
		if o.Err != nil {
			line += ": " + o.Err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}
