package agent

import (
	"context"
	"path/filepath"

	"github.com/helmfile-agent/helmfile-agent/agent/source"
)

// fetch clones the repository while the agent discovers the APIs of the cluster.
func (s *session) fetch(ctx context.Context) error {
	err := inParallel(ctx, s.clone, s.reader.Discover)
	s.report.Source = s.checkout.Revision
	s.progress.setReport(s.report)
	return err
}

// clone makes the checkout, or copies a local directory.
func (s *session) clone(ctx context.Context) (err error) {
	dir := filepath.Join(s.workspace, "checkout")
	if s.config.Dir != "" {
		s.checkout, err = source.CopyLocal(s.config.Dir, dir, sourceLimits(s.config))
	} else {
		s.checkout, err = s.cloneRemote(ctx, dir)
	}
	if err != nil {
		return err
	}
	return s.charts.Confine(s.checkout.Dir, s.workspace)
}

func (s *session) cloneRemote(ctx context.Context, dir string) (source.Checkout, error) {
	request, err := s.sourceRequest()
	if err != nil {
		return source.Checkout{}, err
	}
	checkout, err := source.Clone(ctx, request, dir)
	if err == nil {
		s.log.Info("checked out", "repo", checkout.Repo, "ref", checkout.Ref, "commit", checkout.Commit)
	}
	return checkout, err
}

// load loads the helmfile, and meanwhile reads from the cluster what the run probably needs.
func (s *session) load(ctx context.Context) error {
	return s.loadWith(ctx, s.prefetch)
}

// loadWith loads the helmfile and reads the previous state at the same time.
func (s *session) loadWith(ctx context.Context, readState func(context.Context) error) error {
	err := inParallel(ctx, s.loadHelmfile, readState)
	for _, file := range s.desired.SkippedFiles {
		s.warn("helmfile skipped a state file: %s", file)
	}
	s.exemptNames()
	s.warnAboutLostState()
	return err
}

func (s *session) loadHelmfile(ctx context.Context) error {
	request, err := s.loadRequest()
	if err != nil {
		return err
	}
	s.desired, err = s.loader.Load(ctx, request)
	s.report.Confined = s.desired.Confined
	if err == nil {
		s.log.Info("helmfile loaded", "releases", len(s.desired.Releases), "confined", s.desired.Confined)
	}
	return err
}

// prefetch reads the previous state, and then what observe and findDrift need if the helmfile declares the same namespaces as before.
func (s *session) prefetch(ctx context.Context) error {
	if err := s.loadState(ctx); err != nil {
		return err
	}
	s.reader.Prefetch(ctx, s.previous.Namespaces, s.checksDrift())
	return nil
}
