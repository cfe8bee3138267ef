package agent

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/spf13/pflag"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
)

// Volatile paths are removed from a chart's files before they are hashed: a "." would remove every full stop.
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
		paths := volatilePaths(cfg.Dir, t.TempDir())
		if len(paths) < 2 || slices.ContainsFunc(paths, func(path string) bool { return !filepath.IsAbs(path) }) {
			t.Errorf("--dir %s: the volatile paths are %q", dir, paths)
		}
	}
}

func TestVolatilePathsHaveBothFormsOfALink(t *testing.T) {
	real, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(real, "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if got, want := volatilePaths("", link), []string{link, real}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
