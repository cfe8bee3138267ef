package action

import (
	"context"
	"slices"
	"time"

	helm "helm.sh/helm/v3/pkg/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

const (
	// establishing bounds the wait for new kinds: the API server usually serves them within a second.
	establishing = 10 * time.Second
	established  = 200 * time.Millisecond // between two reads of a CRD
)

// waitForCRDs waits until the API server serves the kinds that a revision defines, so that later releases can use them. A kind that is
// not served in time fails the release that needs it.
func waitForCRDs(ctx context.Context, c *kube.Connection, made *helm.Release) {
	manifest, err := history.ManifestOf(made)
	if err != nil {
		return // Helm has understood it, and made objects of it
	}
	definitions := definedBy(manifest)
	if len(definitions) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, establishing)
	defer cancel()
	waitUntilEstablished(ctx, c, definitions)
	rediscoverUntilServed(ctx, c, definitions)
	if err := c.Discover(ctx); err != nil {
		c.Options.Log.Warn("new kinds not discovered", "release", history.KeyOf(made).String(), "error", err)
	}
}

// waitUntilEstablished returns when the API server serves the kinds, or when ctx ends. It does not wait for a CRD that the agent may not
// read.
func waitUntilEstablished(ctx context.Context, c *kube.Connection, definitions []defined) {
	client := c.Dynamic.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	for _, d := range definitions {
		err := wait.PollUntilContextCancel(ctx, established, true, func(ctx context.Context) (bool, error) {
			live, err := client.Get(ctx, d.name, metav1.GetOptions{})
			return err == nil && isEstablished(live), err
		})
		if err != nil {
			c.Options.Log.Warn("CRD not known to be established", "crd", d.name, "error", err)
		}
	}
}

func isEstablished(definition *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
	return slices.ContainsFunc(conditions, func(condition any) bool {
		fields, _ := condition.(map[string]any)
		return fields["type"] == "Established" && fields["status"] == "True"
	})
}

// rediscoverUntilServed discovers all APIs, usually once. The API server may list an API a little after its CRD is established.
func rediscoverUntilServed(ctx context.Context, c *kube.Connection, definitions []defined) {
	kinds := kindsOf(definitions)
	for pause := established; ; pause *= 2 {
		c.Rediscover()
		if c.Serves(kinds) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// defined is a kind, and the name of the CustomResourceDefinition that defines it.
type defined struct {
	name string
	kind schema.GroupKind
}

func kindsOf(definitions []defined) []schema.GroupKind {
	kinds := make([]schema.GroupKind, len(definitions))
	for i, d := range definitions {
		kinds[i] = d.kind
	}
	return kinds
}

// definedBy are the kinds that the manifest's CustomResourceDefinitions define.
func definedBy(manifest release.Manifest) []defined {
	var all []defined
	for _, object := range manifest {
		if object.Kind != kube.CRDKind {
			continue
		}
		group, _, _ := unstructured.NestedString(object.Content, "spec", "group")
		kind, _, _ := unstructured.NestedString(object.Content, "spec", "names", "kind")
		if group != "" && kind != "" {
			all = append(all, defined{object.Name, schema.GroupKind{Group: group, Kind: kind}})
		}
	}
	return all
}
