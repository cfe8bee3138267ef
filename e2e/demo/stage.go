package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

const namespace = "shop"

// user has the built-in ClusterRole admin in one namespace, and no other rights.
var user = cluster.TenantUser(0)

// stage is a control plane with one tenant, and a git repository.
type stage struct {
	bin        string
	dir        string
	files      map[string]string
	cluster    *cluster.Cluster
	git        *servers.GitHTTP
	repo       *servers.Repo
	kubeconfig string
}

func newStage(ctx context.Context, bin, example string) (s *stage, err error) {
	s = &stage{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.bin, err = filepath.Abs(bin); err != nil {
		return s, err
	}
	if s.files, err = servers.Tree(os.DirFS(example), ""); err != nil {
		return s, err
	}
	if s.dir, err = os.MkdirTemp("", "helmfile-agent-demo-"); err != nil {
		return s, err
	}
	fmt.Println("Starting etcd, kube-apiserver and kube-controller-manager …")
	if s.cluster, err = cluster.Start(ctx, cluster.Options{Binary: filepath.Join(s.bin, "controlplane")}); err != nil {
		return s, err
	}
	return s, errors.Join(s.settleTenant(ctx), s.serveGit())
}

func (s *stage) settleTenant(ctx context.Context) error {
	if err := s.cluster.Tenant(ctx, namespace, user); err != nil {
		return err
	}
	var err error
	s.kubeconfig, err = s.cluster.Kubeconfig(user, namespace)
	return err
}

func (s *stage) serveGit() error {
	var err error
	if s.git, err = servers.NewGitHTTP(s.dir, servers.Options{}); err != nil {
		return err
	}
	if s.repo, err = servers.NewRepo(s.dir, "config.git"); err != nil {
		return err
	}
	_, err = s.repo.Commit(s.files, "three releases")
	return err
}

func (s *stage) close() error {
	if s.git != nil {
		s.git.Close()
	}
	var err error
	if s.cluster != nil {
		err = s.cluster.Stop()
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

func (s *stage) play(ctx context.Context, c chapter) error {
	if c.title != "" {
		fmt.Printf("\n━━ %s\n\n%s\n", c.title, c.text)
	}
	if c.edit != nil {
		c.edit(s.files)
		if _, err := s.repo.Commit(s.files, c.message); err != nil {
			return err
		}
	}
	if c.diff {
		if err := s.agent(ctx, "diff", 0); err != nil {
			return err
		}
	}
	if err := s.agent(ctx, "run", c.exit); err != nil {
		return err
	}
	if len(c.witness) == 0 {
		return nil
	}
	_, err := s.command(ctx, "helm", append(c.witness, "--namespace", namespace)...)
	return err
}

// agent runs the agent, and returns an error if it does not exit with the expected code.
func (s *stage) agent(ctx context.Context, command string, want int) error {
	code, err := s.command(ctx, "helmfile-agent", command, "--repo", s.git.RepoURL("config.git"), "--namespace", namespace, "--log-level", "error")
	if err != nil {
		return err
	}
	fmt.Printf("(exit code %d)\n", code)
	if code != want {
		return fmt.Errorf("helmfile-agent %s ended with %d instead of %d", command, code, want)
	}
	return nil
}

// command prints and runs one of the binaries as the tenant, and returns the exit code.
func (s *stage) command(ctx context.Context, name string, args ...string) (int, error) {
	fmt.Printf("\n$ %s %s\n", name, strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig, "HELMFILE_AGENT_ALLOW_REMOTE=127.0.0.1,localhost,::1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) && failed.Exited() {
		return failed.ExitCode(), nil
	}
	return 0, err
}

// wait keeps the cluster running until the demo is interrupted.
func (s *stage) wait(ctx context.Context) {
	fmt.Printf("\nThe cluster keeps running until you press Ctrl-C:\n\n  export KUBECONFIG=%s\n  git clone %s\n", s.kubeconfig, s.git.RepoURL("config.git"))
	<-ctx.Done()
}
