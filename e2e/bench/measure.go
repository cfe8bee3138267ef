package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// figures is the cost of one process, including its children.
type figures struct {
	wall, cpu time.Duration
	memory    int64 // bytes of the largest single process
	requests  map[string]int
	received  int64 // bytes from the API server on the network
}

// kind is one kind of run. prepare changes the cluster or the repository so that the next run is of this kind.
type kind struct {
	name    string
	prepare func(i int) error
}

// measure prints a row for each kind of run with n releases.
func (s *stage) measure(ctx context.Context, n, repeat int, withHelmfile bool) error {
	namespace, user := fmt.Sprintf("agent-%d", n), cluster.TenantUser(0)
	kubeconfig, err := s.tenant(ctx, namespace, user)
	if err != nil {
		return err
	}
	repo, err := servers.NewRepo(s.dir, namespace+".git")
	if err != nil {
		return err
	}
	if _, err := repo.Commit(helmfile(n, "42"), "first"); err != nil {
		return err
	}
	run := func() (figures, error) {
		return s.process(ctx, user, kubeconfig, "", "helmfile-agent", "run", "--repo", s.git.RepoURL(namespace+".git"),
			"--namespace", namespace, "--log-level", "error", "--timeout", "30m", "--output", "json")
	}
	first, err := run()
	if err != nil {
		return err
	}
	printRow(n, "first install", first)
	if err := s.settle(ctx); err != nil {
		return err
	}
	var quiet figures
	for _, k := range []kind{
		{"nothing to do", func(int) error { return nil }},
		{"one release changed", func(i int) error {
			_, err := repo.Commit(helmfile(n, fmt.Sprintf("changed %d", i)), "change one")
			return err
		}},
		{"one object drifted", func(int) error { return s.spoil(ctx, namespace) }},
	} {
		best, err := fastest(repeat, k.prepare, run)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		printRow(n, k.name, best)
		if k.name == "nothing to do" {
			quiet = best
		}
	}
	if err := s.compare(ctx, n, repeat, namespace, quiet); err != nil {
		return err
	}
	if !withHelmfile {
		return nil
	}
	return s.beside(ctx, n, first, quiet)
}

// calm is the time without writes after which the control plane counts as settled.
const calm = 3 * time.Second

// settle waits until the controllers have finished their work for the first install, so that they do not disturb the measurement.
func (s *stage) settle(ctx context.Context) error {
	for {
		since, err := s.cluster.Audit.Now(ctx)
		if err != nil {
			return err
		}
		select {
		case <-time.After(calm):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		requests, err := s.cluster.Audit.Requests(ctx, since, "")
		if err != nil || len(cluster.Writes(requests)) <= 1 { // the API server renews a Lease of its own
			return err
		}
	}
}

// compare prints the limit (the fastest of several measurements), and the ratio of a run with nothing to do to it.
func (s *stage) compare(ctx context.Context, n, repeat int, namespace string, quiet figures) error {
	var best time.Duration
	for range repeat {
		took, err := s.limit(ctx, namespace)
		if err != nil {
			return fmt.Errorf("the limit: %w", err)
		}
		if best == 0 || took < best {
			best = took
		}
	}
	printLimit(n, best, quiet)
	return nil
}

// beside measures helmfile sync with the same releases in another namespace.
func (s *stage) beside(ctx context.Context, n int, first, quiet figures) error {
	namespace, user := fmt.Sprintf("helmfile-%d", n), cluster.TenantUser(1)
	kubeconfig, err := s.tenant(ctx, namespace, user)
	if err != nil {
		return err
	}
	dir := filepath.Join(s.dir, namespace)
	for name, content := range helmfile(n, "42") {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			return err
		}
	}
	for _, row := range []struct {
		name  string
		agent figures
	}{{"first install", first}, {"again, nothing changed", quiet}} {
		found, err := s.process(ctx, user, kubeconfig, dir, "helmfile", "sync", "--quiet", "--concurrency", "4")
		if err != nil {
			return fmt.Errorf("helmfile sync: %w", err)
		}
		printRow(n, "helmfile sync: "+row.name, found)
		printRatio(n, row.agent, found)
	}
	return nil
}

func fastest(repeat int, prepare func(int) error, run func() (figures, error)) (figures, error) {
	var all []figures
	for i := range repeat {
		if err := prepare(i); err != nil {
			return figures{}, err
		}
		f, err := run()
		if err != nil {
			return figures{}, err
		}
		all = append(all, f)
	}
	return slices.MinFunc(all, func(a, b figures) int { return int(a.wall - b.wall) }), nil
}

// process runs one of the binaries and returns its figures.
func (s *stage) process(ctx context.Context, user, kubeconfig, dir, name string, args ...string) (figures, error) {
	before, err := s.cluster.Audit.Now(ctx)
	if err != nil {
		return figures{}, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "PATH="+s.bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HELMFILE_AGENT_ALLOW_REMOTE=127.0.0.1,localhost,::1")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	s.wire.reset()
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return figures{}, fmt.Errorf("%s: %w\n%s", name, err, tail(output.String()))
	}
	f := figures{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), requests: map[string]int{}}
	f.received = s.wire.received()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		f.memory = usage.Maxrss << 10
	}
	requests, err := s.cluster.Audit.Requests(ctx, before, user)
	for _, r := range requests {
		f.requests[r.Verb]++
	}
	return f, err
}

func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
