package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/mask"
)

func testAgent(cfg config.Config) *Agent {
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	return New(cfg, slog.New(slog.DiscardHandler), &mask.Mask{})
}

func TestAStoppedRunSaysWhatItWasDoing(t *testing.T) {
	cause := exit.With(exit.Terminated, errors.New("stopped by signal"))
	for want, err := range map[string]error{
		"stopped by signal": nil,
		"discover the APIs of example.com: stopped by signal":              exit.With(exit.ClusterUnreached, fmt.Errorf("discover the APIs of example.com: %w", cause)),
		"stopped by signal; the last error was: clone: connection refused": errors.New("clone: connection refused"),
	} {
		ctx, stop := context.WithCancelCause(t.Context())
		stop(cause)
		got := stopped(ctx, err)
		if got.Error() != want || exit.Of(got) != exit.Terminated {
			t.Errorf("got %q with %s, want %q", got, exit.Of(got), want)
		}
	}
}

// However a command ends, its report has the exit code and the duration, and no workspace is left.
func TestEveryEndIsReported(t *testing.T) {
	signal := exit.With(exit.Terminated, errors.New("stopped by signal"))
	for name, tt := range map[string]struct {
		timeout time.Duration
		last    func(ctx context.Context, stop context.CancelCauseFunc) error
		code    exit.Code
		message string
	}{
		"no error": {last: func(context.Context, context.CancelCauseFunc) error { return nil }, code: exit.Converged},
		"an error of a stage": {last: func(context.Context, context.CancelCauseFunc) error {
			return exit.With(exit.Locked, errors.New("locked"))
		}, code: exit.Locked, message: "locked"},
		"a panic": {last: func(context.Context, context.CancelCauseFunc) error { panic("oh") }, code: exit.Unexpected, message: "panic: oh"},
		"the deadline": {
			timeout: time.Millisecond,
			last:    func(ctx context.Context, _ context.CancelCauseFunc) error { <-ctx.Done(); return context.Cause(ctx) },
			code:    exit.Deadline, message: "the run did not end within 1ms",
		},
		"a signal": {
			last: func(_ context.Context, stop context.CancelCauseFunc) error { stop(signal); return nil },
			code: exit.Terminated, message: "stopped by signal",
		},
		"a signal counts before the error that follows": {
			last: func(_ context.Context, stop context.CancelCauseFunc) error {
				stop(signal)
				return exit.With(exit.ClusterUnreached, errors.New("list releases"))
			},
			code: exit.Terminated, message: "stopped by signal; the last error was: list releases",
		},
		"a signal counts before the panic that follows": {
			last: func(_ context.Context, stop context.CancelCauseFunc) error { stop(signal); panic("oh") },
			code: exit.Terminated, message: "stopped by signal; the last error was: panic: oh",
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancelCause(t.Context())
			defer stop(nil)
			var workspace string
			got := testAgent(config.Config{Timeout: tt.timeout}).do(ctx, config.Run, func(s *session, ctx context.Context) error {
				workspace = s.workspace
				return tt.last(ctx, stop)
			})
			message := ""
			if got.Err != nil {
				message = got.Err.Error()
			}
			if got.Code() != tt.code || message != tt.message {
				t.Errorf("got %s: %s, want %s: %s", got.Code(), message, tt.code, tt.message)
			}
			if got.Took <= 0 || got.Command != config.Run {
				t.Errorf("the report is not complete: %+v", got)
			}
			if _, err := os.Stat(workspace); workspace == "" || !os.IsNotExist(err) {
				t.Errorf("the workspace %q still exists: %v", workspace, err)
			}
		})
	}
}

func TestAnErrorEndsTheStages(t *testing.T) {
	var executed []string
	named := func(name string, err error) stage {
		return func(*session, context.Context) error {
			executed = append(executed, name)
			return err
		}
	}
	testAgent(config.Config{}).do(t.Context(), config.Run, named("one", nil), named("two", errors.New("failed")), named("three", nil))
	if want := []string{"one", "two"}; !slices.Equal(executed, want) {
		t.Errorf("executed %q, want %q", executed, want)
	}
}

func TestMissingRightsAreReportedAsAGrant(t *testing.T) {
	missing := &cluster.MissingRightsError{}
	got := testAgent(config.Config{}).do(t.Context(), config.Run, func(s *session, _ context.Context) error {
		s.report.Grant = "set before"
		return exit.With(exit.Forbidden, missing)
	})
	if got.Code() != exit.Forbidden || got.Grant != missing.Grant() {
		t.Errorf("got %+v", got)
	}
}

// Without a directory for temporary files there is no stage, but there is a report.
func TestAWorkspaceThatCannotBeMadeIsReported(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/missing")
	got := testAgent(config.Config{}).do(t.Context(), config.Run, func(*session, context.Context) error {
		t.Error("a stage was executed")
		return nil
	})
	if got.Err == nil || !strings.HasPrefix(got.Err.Error(), "make workspace: ") {
		t.Errorf("got %v", got.Err)
	}
}
