package render

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// The forms of a fingerprint, which are its version: they change when the inputs that are looked at do. A fingerprint of another
// form is as good as none: the release is rendered and compared, so that a new agent never upgrades anything by itself.
const (
	// plainForm is of a chart that does not ask what the cluster is capable of.
	plainForm = "v2"
	// capableForm counts the cluster's version and API list too. Most charts do not ask, and a new CRD somewhere in the cluster, or a new
	// version of it, is nothing to them.
	capableForm = "v2c"

	formEnd = "-"
)

// inputs is everything that a revision's objects are made from, as far as it can change. The agent's and Helm's own
// versions are left out on purpose.
type inputs struct {
	Key         release.Key
	Chart       string
	Values      map[string]any
	Flags       []bool
	KubeVersion string   `json:",omitempty"`
	APIVersions []string `json:",omitempty"`
}

// formOf is the form of a recorded fingerprint; not ok if it is none that can be compared with.
func formOf(fingerprint string) (form string, ok bool) {
	form, _, _ = strings.Cut(fingerprint, formEnd)
	return form, form == plainForm || form == capableForm
}

// formFor is the form that counts everything that the chart reads. Values count too, because they may be templates. A chart that only
// mentions capabilities, as in a comment, is rendered more often than necessary.
func formFor(c *helmchart.Chart, values map[string]any) string {
	if restricted(c) || anywhere(c, capabilities) || mentions(values, capabilities) {
		return capableForm
	}
	return plainForm
}

var capabilities = []byte("Capabilities")

// restricted charts cannot be rendered for every version of Kubernetes.
func restricted(c *helmchart.Chart) bool {
	return c.Metadata != nil && c.Metadata.KubeVersion != "" || slices.ContainsFunc(c.Dependencies(), restricted)
}

// anywhere says whether a word stands in what a chart is rendered from.
func anywhere(c *helmchart.Chart, word []byte) bool {
	in := func(f *helmchart.File) bool { return bytes.Contains(f.Data, word) }
	return slices.ContainsFunc(c.Templates, in) || slices.ContainsFunc(c.Files, in) || mentions(c.Values, word) ||
		slices.ContainsFunc(c.Dependencies(), func(d *helmchart.Chart) bool { return anywhere(d, word) })
}

func mentions(values map[string]any, word []byte) bool {
	encoded, err := json.Marshal(values)
	return err != nil || bytes.Contains(encoded, word)
}

// fingerprint is of the inputs of a wanted release, in the form of a label value.
func (r *Renderer) fingerprint(ctx context.Context, want release.Desired, form string) (string, error) {
	identity, err := fetchWithTimeout(ctx, r, want.Chart, func(ctx context.Context) (string, error) {
		return r.charts.Identity(ctx, want.Chart, r.volatile...)
	})
	if err != nil {
		return "", err
	}
	o := want.Options
	in := inputs{
		Key:    want.Key,
		Chart:  identity,
		Values: want.Values,
		Flags:  []bool{o.DisableHooks, o.EnableDNS, o.ReuseValues, o.ResetThenReuseValues, o.SkipCRDs, o.SkipSchemaValidation, o.TakeOwnership},
	}
	if form == capableForm {
		able := r.kube.Capabilities()
		in.KubeVersion, in.APIVersions = able.KubeVersion.Version, slices.Sorted(slices.Values(able.APIVersions))
	}
	encoded, err := json.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("fingerprint: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return form + formEnd + hex.EncodeToString(sum[:20]), nil
}

// madeFromTheSame says whether the last revision is deployed and was made from the inputs of now, and what their fingerprint is, in
// the form of the recorded one.
func (r *Renderer) madeFromTheSame(ctx context.Context, want release.Desired) (fingerprint string, same bool, err error) {
	recorded, form := r.recordedFingerprint(want.Key), plainForm
	if known, ok := formOf(recorded); ok {
		form = known
	}
	fingerprint, err = r.fingerprint(ctx, want, form)
	return fingerprint, fingerprint == recorded, err
}

// recordedFingerprint is of a deployed revision; empty if there is none, or if Helm 4 copied the label to a revision that it made.
func (r *Renderer) recordedFingerprint(key release.Key) string {
	last, ok := r.history.Last(key)
	observed, _ := r.history.Observed(key)
	if !ok || last.Info.Status != helm.StatusDeployed || observed.ServerSide {
		return ""
	}
	return history.OwnerOf(last).Fingerprint
}
