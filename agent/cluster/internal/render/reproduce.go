package render

import (
	"context"

	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// reproduces says whether a rendered revision is exactly what the last record holds. Values that were taken from that record prove
// nothing about it. last is nil when there is no record.
func reproduces(last *helm.Release, o release.Options, rendered *helm.Release) bool {
	return last != nil && !o.ReuseValues && !o.ResetThenReuseValues && history.DigestOf(last) == history.DigestOf(rendered)
}

// reproducesUntrusted renders a release whose record is not the remembered one although the inputs are the same. The release
// counts as declared even if that fails, so the failure is only logged.
func (r *Renderer) reproducesUntrusted(ctx context.Context, want release.Desired) bool {
	if last, _ := r.history.Observed(want.Key); last.Trusted {
		return false
	}
	rendered, err := r.dryRun(ctx, want)
	if err != nil {
		r.kube.Options.Log.Warn("a record that this agent did not write could not be compared with its chart", "release", want.Key.String(), "error", err)
		return false
	}
	last, _ := r.history.Last(want.Key)
	return reproduces(last, want.Options, rendered)
}
