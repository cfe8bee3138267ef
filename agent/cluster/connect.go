package cluster

import (
	"context"
	"fmt"
	"log/slog"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Options say which cluster, as whom, and for which agent instance.
type Options struct {
	Kubeconfig string // path; empty for the pod's own identity or kubectl's default
	Context    string // kubeconfig context; empty for the current one
	Namespace  string // the agent's own; empty for the context's
	Instance   string
	Charts     *chart.Store
	Log        *slog.Logger
}

// Cluster is one connection. Discovery is done once and shared by all that is made from it.
type Cluster struct {
	Namespace string

	opts         Options
	config       *rest.Config
	client       kubernetes.Interface
	discovery    discovery.CachedDiscoveryInterface
	mapper       meta.ResettableRESTMapper
	capabilities *chartutil.Capabilities
}

// Requests are limited on the server's side, by priority and fairness; these bounds only keep one run from flooding it.
const (
	requestsPerSecond = 100
	requestBurst      = 200
)

// Connect finds the cluster and asks it once for its version and APIs. Errors carry exit.ClusterUnreached, or
// exit.ConfigInvalid where it is the kubeconfig that leads nowhere.
func Connect(ctx context.Context, opts Options) (*Cluster, error) {
	c := &Cluster{opts: opts}
	loader := c.flags(opts.Namespace).ToRawKubeConfigLoader()
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, exit.With(exit.ConfigInvalid, fmt.Errorf("read kubeconfig: %w", err))
	}
	if c.Namespace, _, err = loader.Namespace(); err != nil {
		return nil, exit.With(exit.ConfigInvalid, fmt.Errorf("read kubeconfig: %w", err))
	}
	config.QPS, config.Burst = requestsPerSecond, requestBurst
	config.UserAgent = "helmfile-agent"
	c.config = config
	if c.client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, unreachable(fmt.Errorf("connect to %s: %w", config.Host, err))
	}
	c.discovery = memory.NewMemCacheClient(c.client.Discovery())
	c.mapper = restmapper.NewDeferredDiscoveryRESTMapper(c.discovery)
	return c, c.discover(ctx)
}

// discover fills in what charts may ask of the cluster. client-go's discovery knows no context, hence the goroutine.
func (c *Cluster) discover(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- c.readCapabilities() }()
	select {
	case err := <-done:
		return classify(fmt.Sprintf("discover the APIs of %s", c.config.Host), err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *Cluster) readCapabilities() error {
	version, err := c.discovery.ServerVersion()
	if err != nil {
		return err
	}
	apis, err := action.GetVersionSet(c.discovery)
	// An aggregated API whose server is down hides its own group only.
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return err
	}
	c.capabilities = &chartutil.Capabilities{
		KubeVersion: chartutil.KubeVersion{Version: version.GitVersion, Major: version.Major, Minor: version.Minor},
		APIVersions: apis,
		HelmVersion: chartutil.DefaultCapabilities.HelmVersion,
	}
	return nil
}

func (c *Cluster) flags(namespace string) *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig, flags.Context, flags.Namespace = &c.opts.Kubeconfig, &c.opts.Context, &namespace
	return flags
}

// getter is how the Helm SDK reaches the cluster from within one namespace: through the shared discovery.
type getter struct {
	*genericclioptions.ConfigFlags
	cluster *Cluster
}

func (g getter) ToRESTConfig() (*rest.Config, error) { return rest.CopyConfig(g.cluster.config), nil }
func (g getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return g.cluster.discovery, nil
}
func (g getter) ToRESTMapper() (meta.RESTMapper, error) { return g.cluster.mapper, nil }

func (c *Cluster) getter(namespace string) getter {
	return getter{c.flags(namespace), c}
}

func (c *Cluster) debugf(format string, args ...any) {
	c.opts.Log.Debug("helm", "message", fmt.Sprintf(format, args...))
}
