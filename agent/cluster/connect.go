package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/lookup"
)

// Options say which cluster, as whom, and for which agent instance.
type Options struct {
	Kubeconfig string // path; empty for the pod's own identity or kubectl's default
	Context    string // kubeconfig context; empty for the current one
	Namespace  string // the agent's own; empty for the context's
	Instance   string
	OwnSecrets []string // Secrets in Namespace that charts must not look up
	Charts     *chart.Store
	Volatile   []string // paths that are others in every run, and so say nothing about a chart
	Log        *slog.Logger
	// Secret and Credential are told what no text may show: Secrets that were read, and what the agent logs in with.
	Secret     func(object map[string]any)
	Credential func(...string)
	Mask       func(text string) string // hides what no text may show, such as why a release failed, which Helm records
}

// connection is what a [Reader] and a [Writer] share; discovery is done once for both. It is not exported, so that whoever
// holds a Reader holds nothing else.
type connection struct {
	namespace string // the agent's own
	opts      Options
	config    *rest.Config
	client    kubernetes.Interface
	dynamic   dynamic.Interface
	discovery discovery.CachedDiscoveryInterface
	mapper    meta.ResettableRESTMapper
	// capabilities are exchanged when a release brings new kinds.
	capabilities atomic.Pointer[chartutil.Capabilities]
}

// unlimited turns client-go's own rate limit off: the API server limits requests, by priority and fairness. The client's limiter also
// ends a request that would pass the deadline with an error that does not say so.
const unlimited = -1

// Connect finds the cluster, and does not speak with it yet. Errors carry exit.ConfigInvalid where it is the kubeconfig that leads
// nowhere, or exit.ClusterUnreached.
func Connect(opts Options) (*Reader, error) {
	c := &connection{opts: opts}
	loader := c.flags(opts.Namespace).ToRawKubeConfigLoader()
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, exit.With(exit.ConfigInvalid, fmt.Errorf("read kubeconfig: %w", err))
	}
	if c.namespace, _, err = loader.Namespace(); err != nil {
		return nil, exit.With(exit.ConfigInvalid, fmt.Errorf("read kubeconfig: %w", err))
	}
	config.QPS = unlimited
	config.UserAgent = "helmfile-agent"
	opts.Credential(credentials(config)...)
	config.Wrap(heeding(opts.Secret))
	c.config = config
	if c.client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, unreachable(fmt.Errorf("connect to %s: %w", config.Host, err))
	}
	if c.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, unreachable(fmt.Errorf("connect to %s: %w", config.Host, err))
	}
	c.discovery = memory.NewMemCacheClient(c.client.Discovery())
	c.mapper = restmapper.NewDeferredDiscoveryRESTMapper(c.discovery)
	return newReader(c), nil
}

// Discover asks the cluster once for its version and APIs, which all else needs but for the lock.
func (r *Reader) Discover(ctx context.Context) error { return r.c.discover(ctx) }

// discover fills in what charts may ask of the cluster. client-go's discovery knows no context.
func (c *connection) discover(ctx context.Context) error {
	return classify(fmt.Sprintf("discover the APIs of %s", c.config.Host), interruptibly(ctx, c.readCapabilities))
}

func (c *connection) readCapabilities() error {
	version, err := c.discovery.ServerVersion()
	if err != nil {
		return err
	}
	apis, err := action.GetVersionSet(c.discovery)
	// An aggregated API whose server is down hides its own group only.
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return err
	}
	c.capabilities.Store(&chartutil.Capabilities{
		KubeVersion: chartutil.KubeVersion{Version: version.GitVersion, Major: version.Major, Minor: version.Minor},
		APIVersions: apis,
		HelmVersion: chartutil.DefaultCapabilities.HelmVersion,
	})
	return nil
}

func (c *connection) flags(namespace string) *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig, flags.Context, flags.Namespace = &c.opts.Kubeconfig, &c.opts.Context, &namespace
	return flags
}

// getter is how the Helm SDK reaches the cluster from within one namespace: through the shared discovery, and until ctx ends.
type getter struct {
	*genericclioptions.ConfigFlags
	c   *connection
	ctx context.Context
}

func (g getter) ToRESTConfig() (*rest.Config, error) {
	config := rest.CopyConfig(g.c.config)
	config.Wrap(endingWith(g.ctx))
	return config, nil
}

func (g getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return g.c.discovery, nil
}

func (g getter) ToRESTMapper() (meta.RESTMapper, error) { return g.c.mapper, nil }

func (c *connection) getter(ctx context.Context, namespace string) getter {
	return getter{c.flags(namespace), c, ctx}
}

// templates is how Helm's template engine reaches the cluster: without what charts must not see.
type templates struct{ getter }

func (t templates) ToRESTConfig() (*rest.Config, error) {
	config, err := t.getter.ToRESTConfig()
	if err == nil {
		config.Wrap(lookup.Hidden{Namespace: t.c.namespace, Names: t.c.opts.OwnSecrets}.Transport)
	}
	return config, err
}

func (c *connection) debugf(format string, args ...any) {
	c.opts.Log.Debug("helm", "message", fmt.Sprintf(format, args...))
}
