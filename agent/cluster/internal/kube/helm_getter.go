package kube

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/helmfile-agent/helmfile-agent/agent/lookup"
)

func (c *Connection) flags(namespace string) *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig, flags.Context, flags.Namespace = &c.Options.Kubeconfig, &c.Options.Context, &namespace
	return flags
}

// getter is how the Helm SDK reaches the cluster from within one namespace: through the shared discovery, and until ctx ends.
type getter struct {
	*genericclioptions.ConfigFlags
	c   *Connection
	ctx context.Context
}

func (g getter) ToRESTConfig() (*rest.Config, error) {
	config := rest.CopyConfig(g.c.Config)
	config.Wrap(endRequestsWith(g.ctx))
	return config, nil
}

func (g getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return g.c.Discovery, nil
}

func (g getter) ToRESTMapper() (meta.RESTMapper, error) { return g.c.Mapper, nil }

func (c *Connection) getter(ctx context.Context, namespace string) getter {
	return getter{c.flags(namespace), c, ctx}
}

// templates is how Helm's template engine reaches the cluster: without what charts must not see.
type templates struct{ getter }

func (t templates) ToRESTConfig() (*rest.Config, error) {
	config, err := t.getter.ToRESTConfig()
	if err == nil {
		config.Wrap(lookup.Hidden{Namespace: t.c.Namespace, Names: t.c.Options.OwnSecrets}.Transport)
	}
	return config, err
}

// Getter is how the Helm SDK reaches the cluster from within one namespace, until ctx ends.
func (c *Connection) Getter(ctx context.Context, namespace string) genericclioptions.RESTClientGetter {
	return c.getter(ctx, namespace)
}

// TemplateGetter is a getter for Helm's template engine: it hides from charts what they must not see.
func (c *Connection) TemplateGetter(ctx context.Context, namespace string) genericclioptions.RESTClientGetter {
	return templates{c.getter(ctx, namespace)}
}
