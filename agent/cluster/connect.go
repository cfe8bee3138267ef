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

// Connection is what a [Reader] and a [Writer] share; discovery is done once for both. It is not exported, so that whoever
// holds a Reader holds nothing else.
type Connection struct {
	Namespace string // the agent's own
	Options   Options
	Config    *rest.Config
	Client    kubernetes.Interface
	Dynamic   dynamic.Interface
	Discovery discovery.CachedDiscoveryInterface
	Mapper    meta.ResettableRESTMapper
	// capabilities are exchanged when a release brings new kinds.
	capabilities atomic.Pointer[chartutil.Capabilities]
}

// unlimited turns client-go's own rate limit off: the API server limits requests, by priority and fairness. The client's limiter also
// ends a request that would pass the deadline with an error that does not say so.
const unlimited = -1

// Connect finds the cluster, and does not speak with it yet. Errors carry exit.ConfigInvalid where it is the kubeconfig that leads
// nowhere, or exit.ClusterUnreached.
func Connect(opts Options) (*Reader, error) {
	c := &Connection{Options: opts}
	loader := c.flags(opts.Namespace).ToRawKubeConfigLoader()
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, exit.With(exit.ConfigInvalid, fmt.Errorf("read kubeconfig: %w", err))
	}
	if c.Namespace, _, err = loader.Namespace(); err != nil {
		return nil, exit.With(exit.ConfigInvalid, fmt.Errorf("read kubeconfig: %w", err))
	}
	config.QPS = unlimited
	config.UserAgent = "helmfile-agent"
	opts.Credential(credentials(config)...)
	config.Wrap(observeSecrets(opts.Secret))
	c.Config = config
	if c.Client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, Unreachable(fmt.Errorf("connect to %s: %w", config.Host, err))
	}
	if c.Dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, Unreachable(fmt.Errorf("connect to %s: %w", config.Host, err))
	}
	c.Discovery = memory.NewMemCacheClient(c.Client.Discovery())
	c.Mapper = restmapper.NewDeferredDiscoveryRESTMapper(c.Discovery)
	return newReader(c), nil
}

// Discover asks the cluster once for its version and APIs, which all else needs but for the lock.
func (r *Reader) Discover(ctx context.Context) error { return r.c.Discover(ctx) }

// discover fills in what charts may ask of the cluster. client-go's discovery knows no context.
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

func (c *Connection) Getter(ctx context.Context, namespace string) getter {
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

func (c *Connection) Debugf(format string, args ...any) {
	c.Options.Log.Debug("helm", "message", fmt.Sprintf(format, args...))
}

// Capabilities are what charts may ask of the cluster; nil before [Connection.Discover].
func (c *Connection) Capabilities() *chartutil.Capabilities { return c.capabilities.Load() }

// SetCapabilities replaces them after a release has brought new kinds.
func (c *Connection) SetCapabilities(now *chartutil.Capabilities) { c.capabilities.Store(now) }
