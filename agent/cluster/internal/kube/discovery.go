package kube

import (
	"context"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// Discover reads the cluster's version and APIs, which charts may ask for. It returns when ctx ends, although client-go's discovery knows
// no context.
func (c *Connection) Discover(ctx context.Context) error {
	return Classify(fmt.Sprintf("discover the APIs of %s", c.Config.Host), Interruptibly(ctx, c.readCapabilities))
}

func (c *Connection) readCapabilities() error {
	version, err := c.Discovery.ServerVersion()
	if err != nil {
		return err
	}
	apis, err := action.GetVersionSet(c.Discovery)
	// An aggregated API whose server is down hides its own group only.
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return err
	}
	c.SetCapabilities(&chartutil.Capabilities{
		KubeVersion: chartutil.KubeVersion{Version: version.GitVersion, Major: version.Major, Minor: version.Minor},
		APIVersions: apis,
		HelmVersion: chartutil.DefaultCapabilities.HelmVersion,
	})
	return nil
}

// Rediscover forgets which kinds there are: they are asked for when they are needed next.
func (c *Connection) Rediscover() {
	c.Discovery.Invalidate()
	c.Mapper.Reset()
}

// Serves says whether the cluster knows all the kinds.
func (c *Connection) Serves(kinds []schema.GroupKind) bool {
	for _, kind := range kinds {
		if _, err := c.Mapper.RESTMapping(kind); err != nil {
			return false
		}
	}
	return true
}

// IsNoSuchKind says that the cluster does not know a kind. Helm's builder passes on only the words of the mapper's error.
func IsNoSuchKind(err error) bool {
	return err != nil && strings.Contains(err.Error(), "no matches for kind")
}
