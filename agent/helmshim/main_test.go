package helmshim

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestMain makes the test binary run as helm or kustomize if it has one of these names, as the agent's binary does.
func TestMain(m *testing.M) {
	if name := filepath.Base(os.Args[0]); Known(name) {
		os.Exit(Main(name, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// isolate separates a test from the machine's Helm configuration, credentials and cluster.
func isolate(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	for name, value := range map[string]string{
		"HOME": home, "DOCKER_CONFIG": home, "KUBECONFIG": filepath.Join(home, "none"),
		"HELM_REPOSITORY_CONFIG": filepath.Join(home, "repositories.yaml"),
		"HELM_REPOSITORY_CACHE":  filepath.Join(home, "cache"),
		"HELM_REGISTRY_CONFIG":   filepath.Join(home, "registry.json"),
	} {
		t.Setenv(name, value)
	}
	// The agent does the same before it starts helm. The servers of the tests are on this machine.
	policy := egress.Policy{Allowed: []string{"127.0.0.1", "::1"}}
	store, err := chart.NewStore(filepath.Join(home, "cache"), policy, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(broker.WorkspaceVariable, home)
	served, err := broker.Serve(t.Context(), home, fakeAgent{store, filepath.Join(home, "pulled")}, http.HandlerFunc(cluster))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = served.Close() })
}

// fakeAgent does the work of the agent for the helm processes.
type fakeAgent struct {
	store  *chart.Store
	pulled string
}

func (a fakeAgent) Decrypt(_ context.Context, file broker.EncryptedFile) ([]byte, error) {
	if string(file.Content) != "ciphertext" {
		return nil, errors.New("no key")
	}
	return []byte("a: b\n"), nil
}

func (a fakeAgent) Register(repositories []release.Repository) error {
	a.store.AddRepositories(repositories...)
	return nil
}

// addDeclared adds the repositories in the file. In a real run, the loader registers them.
func (a fakeAgent) addDeclared() error {
	repositories, err := chart.ReadRepositories(os.Getenv("HELM_REPOSITORY_CONFIG"))
	a.store.AddRepositories(repositories...)
	return err
}

func (a fakeAgent) Pull(ctx context.Context, c release.Chart) (string, error) {
	if err := a.addDeclared(); err != nil {
		return "", err
	}
	return a.store.Pull(ctx, c, a.pulled)
}

func (a fakeAgent) BuildDependencies(ctx context.Context, want broker.Dependencies) (string, error) {
	if err := a.addDeclared(); err != nil {
		return "", err
	}
	root, err := os.MkdirTemp(a.store.Dir(), "built-")
	if err != nil {
		return "", err
	}
	return a.store.BuildCopy(ctx, want.Dir, root, want.Update)
}

func run(name string, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = Main(name, args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	code, stdout, stderr := run(name, args...)
	if code != 0 {
		t.Fatalf("%s %v: %s", name, args, stderr)
	}
	return stdout
}

// files writes a tree of files into a new directory.
func files(t *testing.T, tree map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range tree {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func pack(t *testing.T, dir, into string) string {
	t.Helper()
	c, err := loader.LoadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	file, err := chartutil.Save(c, into)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func contains(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in:\n%s", w, text)
		}
	}
}
