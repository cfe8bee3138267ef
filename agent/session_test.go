package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/spf13/pflag"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestARunThatIsStoppedSaysWhatItWasDoing(t *testing.T) {
	cause := exit.With(exit.Terminated, errors.New("told to stop"))
	for want, err := range map[string]error{
		"told to stop": nil,
		"discover the APIs of example.com: told to stop":           exit.With(exit.ClusterUnreached, fmt.Errorf("discover the APIs of example.com: %w", cause)),
		"told to stop; it was about to: clone: connection refused": errors.New("clone: connection refused"),
	} {
		ctx, stop := context.WithCancelCause(t.Context())
		stop(cause)
		got := stopped(ctx, err)
		if got.Error() != want || exit.Of(got) != exit.Terminated {
			t.Errorf("got %q with %s, want %q", got, exit.Of(got), want)
		}
	}
}

// Volatile paths are removed from a chart's files before they are hashed: a "." would take every full stop away.
func TestVolatilePathsAreAbsolute(t *testing.T) {
	for _, dir := range []string{".", "./", "checkout", ".."} {
		parent := t.TempDir()
		if err := os.MkdirAll(filepath.Join(parent, "here", "checkout"), 0o700); err != nil {
			t.Fatal(err)
		}
		t.Chdir(filepath.Join(parent, "here"))
		flags := pflag.NewFlagSet("diff", pflag.ContinueOnError)
		config.Flags(flags, config.Diff)
		if err := flags.Parse([]string{"--dir", dir}); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(config.Diff, flags, nil)
		if err != nil {
			t.Fatal(err)
		}
		paths := (&run{cfg: cfg, workspace: t.TempDir()}).volatile()
		if len(paths) < 2 || slices.ContainsFunc(paths, func(path string) bool { return !filepath.IsAbs(path) }) {
			t.Errorf("--dir %s: volatile are %q", dir, paths)
		}
	}
}
