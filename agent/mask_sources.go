package agent

import "github.com/helmfile-agent/helmfile-agent/agent/release"

// exemptNames keeps the names of releases, namespaces and charts readable, even if a secret has the same value: every text contains
// them.
func (s *session) exemptNames() {
	s.mask.Exempt(s.report.Namespace, s.config.Instance, s.config.Environment)
	for _, want := range s.desired.Releases {
		s.mask.Exempt(want.Name, want.Namespace, want.Key.String(), want.Chart.Name)
	}
}

// maskObserved masks the values of Secrets in the newest revisions.
func (s *session) maskObserved() error {
	for _, observed := range s.observed {
		s.maskManifest(observed.Manifest)
	}
	return s.mask.Err()
}

// maskRendered masks the values of Secrets in the next revisions.
func (s *session) maskRendered() error {
	for _, rendered := range s.rendered {
		s.maskManifest(rendered.Manifest)
	}
	return s.mask.Err()
}

func (s *session) maskManifest(manifest release.Manifest) {
	for _, object := range manifest {
		s.mask.AddObject(object.Content)
	}
}

// maskSecret masks the values of a Secret that the API server returned.
func (s *session) maskSecret(object map[string]any) error {
	s.mask.AddObject(object)
	return s.mask.Err()
}
