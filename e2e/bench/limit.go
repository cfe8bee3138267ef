package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// limit is the cost that no run can avoid: two process starts (the agent, and helmfile's helm), the clone, and the LISTs of Helm's records
// and live objects. It is measured separately, one part after the other.
func (s *stage) limit(ctx context.Context, namespace string) (time.Duration, error) {
	start := time.Now()
	for range 2 {
		if err := exec.CommandContext(ctx, filepath.Join(s.bin, "helmfile-agent"), "version").Run(); err != nil {
			return 0, fmt.Errorf("start the process: %w", err)
		}
	}
	clone := exec.CommandContext(ctx, "git", "clone", "--quiet", "--depth", "1", s.git.RepoURL(namespace+".git"),
		filepath.Join(s.dir, fmt.Sprintf("clone-%s-%d", namespace, start.UnixNano())))
	if output, err := clone.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("clone: %w\n%s", err, output)
	}
	if err := s.lists(ctx, namespace); err != nil {
		return 0, fmt.Errorf("list: %w", err)
	}
	return time.Since(start), nil
}

// lists sends the LISTs of a run.
func (s *stage) lists(ctx context.Context, namespace string) error {
	all := metav1.ListOptions{}
	core, apps := s.client.CoreV1(), s.client.AppsV1()
	if _, err := core.Secrets(namespace).List(ctx, all); err != nil {
		return err
	}
	if _, err := core.ConfigMaps(namespace).List(ctx, all); err != nil {
		return err
	}
	if _, err := core.ServiceAccounts(namespace).List(ctx, all); err != nil {
		return err
	}
	if _, err := core.Services(namespace).List(ctx, all); err != nil {
		return err
	}
	_, err := apps.Deployments(namespace).List(ctx, all)
	return err
}
