package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// fingerprintVersion changes when the inputs that are looked at do. A fingerprint of another version is as good as none:
// the release is rendered and compared, so that a new agent never upgrades anything by itself.
const fingerprintVersion = "v1"

// inputs is everything that a revision's objects are made from, as far as it can change. The agent's and Helm's own
// versions are left out on purpose.
type inputs struct {
	Key         release.Key
	Chart       string
	Values      map[string]any
	Flags       []bool
	KubeVersion string
	APIVersions []string
}

// fingerprint is of the inputs of a wanted release, in the form of a label value.
func (r *Reader) fingerprint(ctx context.Context, want release.Desired) (string, error) {
	identity, err := await(ctx, r, want.Chart, func(ctx context.Context) (string, error) {
		return r.c.opts.Charts.Identity(ctx, want.Chart, r.c.opts.Volatile...)
	})
	if err != nil {
		return "", err
	}
	o := want.Options
	apis := slices.Clone(r.c.capabilities.Load().APIVersions)
	slices.Sort(apis)
	encoded, err := json.Marshal(inputs{
		Key:         want.Key,
		Chart:       identity,
		Values:      want.Values,
		Flags:       []bool{o.DisableHooks, o.EnableDNS, o.ReuseValues, o.ResetThenReuseValues, o.SkipCRDs, o.SkipSchemaValidation, o.TakeOwnership},
		KubeVersion: r.c.capabilities.Load().KubeVersion.Version,
		APIVersions: apis,
	})
	if err != nil {
		return "", fmt.Errorf("fingerprint: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return fingerprintVersion + "-" + hex.EncodeToString(sum[:20]), nil
}
