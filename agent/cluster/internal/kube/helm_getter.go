package kube

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
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

// Getter is how the Helm SDK reaches the cluster from within one namespace, until ctx ends.
func (c *Connection) Getter(ctx context.Context, namespace string) genericclioptions.RESTClientGetter {
	return c.getter(ctx, namespace)
}
