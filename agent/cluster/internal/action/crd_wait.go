package action

import (
	"context"
	"time"

	helm "helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

const (
	// establishing bounds the wait for new kinds: the API server usually serves them within a second.
	establishing = 10 * time.Second
	established  = 200 * time.Millisecond
)

// waitForCRDs waits until the API server serves the kinds that a revision defines, so that later releases can use them. A kind that is
// not served in time fails the release that needs it.
func waitForCRDs(ctx context.Context, c *kube.Connection, made *helm.Release) {
	manifest, err := history.ManifestOf(made)
	if err != nil {
		return // Helm has understood it, and made objects of it
	}
	kinds := definedBy(manifest)
	if len(kinds) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, establishing)
	defer cancel()
	for c.Rediscover(); !c.Serves(kinds) && ctx.Err() == nil; c.Rediscover() {
		time.Sleep(established)
	}
	if err := c.Discover(ctx); err != nil {
		c.Options.Log.Warn("new kinds not discovered", "release", history.KeyOf(made).String(), "error", err)
	}
}

// definedBy are the kinds that the manifest's CustomResourceDefinitions define.
func definedBy(manifest release.Manifest) []schema.GroupKind {
	var kinds []schema.GroupKind
	for _, object := range manifest {
		if object.Kind != kube.CRDKind {
			continue
		}
		group, _, _ := unstructured.NestedString(object.Content, "spec", "group")
		kind, _, _ := unstructured.NestedString(object.Content, "spec", "names", "kind")
		if group != "" && kind != "" {
			kinds = append(kinds, schema.GroupKind{Group: group, Kind: kind})
		}
	}
	return kinds
}
