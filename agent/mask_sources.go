package agent

import (
	"github.com/helmfile-agent/helmfile-agent/agent/desired"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// exempt keeps names readable that appear in every text, even if a secret has the same value.
func (r *run) exempt(set desired.Set) {
	r.mask.Exempt(r.report.Namespace, r.cfg.Instance, r.cfg.Environment)
	for _, want := range set.Releases {
		r.mask.Exempt(want.Name, want.Namespace, want.Key.String(), want.Chart.Name)
	}
}

// learnFound makes known what the Secrets in the last revisions hold.
func (r *run) learnFound(have []release.Observed) error {
	for _, found := range have {
		r.learnManifest(found.Manifest)
	}
	return r.mask.Err()
}

// learnRendered does so for the next revisions.
func (r *run) learnRendered(next []release.Rendered) error {
	for _, rendered := range next {
		r.learnManifest(rendered.Manifest)
	}
	return r.mask.Err()
}

// learnSecret does so for Secrets that the API server answered with.
func (r *run) learnSecret(object map[string]any) error {
	r.mask.AddObject(object)
	return r.mask.Err()
}

func (r *run) learnManifest(manifest release.Manifest) {
	for _, object := range manifest {
		r.mask.AddObject(object.Content)
	}
}
