package cluster

import (
	"context"
	"strings"
	"time"

	helm "helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

const definition = "CustomResourceDefinition"

const (
	// establishing bounds the wait for new kinds: the API server usually serves them within a second.
	establishing = 10 * time.Second
	established  = 200 * time.Millisecond
)

// learn makes the kinds that a revision defines known to the releases that come after it. One that is not served in time is
// for them to miss.
func (c *Connection) learn(ctx context.Context, made *helm.Release) {
	manifest, err := ManifestOf(made)
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
		c.Options.Log.Warn("new kinds not discovered", "release", KeyOf(made).String(), "error", err)
	}
}

// Rediscover forgets which kinds there are: they are asked for when they are needed next.
func (c *Connection) Rediscover() {
	c.Discovery.Invalidate()
	c.Mapper.Reset()
}

func (c *Connection) Serves(kinds []schema.GroupKind) bool {
	for _, kind := range kinds {
		if _, err := c.Mapper.RESTMapping(kind); err != nil {
			return false
		}
	}
	return true
}

// definedBy are the kinds that the manifest's CustomResourceDefinitions define.
func definedBy(manifest release.Manifest) []schema.GroupKind {
	var kinds []schema.GroupKind
	for _, object := range manifest {
		if object.Kind != definition {
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

// noSuchKind is what the mapper says; Helm's builder passes on only its words.
func noSuchKind(err error) bool {
	return err != nil && strings.Contains(err.Error(), "no matches for kind")
}
