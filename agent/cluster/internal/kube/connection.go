package kube

import (
	"fmt"
	"log/slog"
	"sync/atomic"

	"helm.sh/helm/v3/pkg/chartutil"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Options say which cluster, as whom, and for which agent instance.
type Options struct {
	Kubeconfig   string // path; empty for the pod's own identity or kubectl's default
	Context      string // kubeconfig context; empty for the current one
	Namespace    string // the agent's own; empty for the context's
	Instance     string
	OwnSecrets   []string // Secrets in Namespace that charts must not look up
	AgentRelease string   // the Helm release in Namespace that installed the agent; empty when there is none
	SelfUpgrade  bool     // releases of the helmfile may contain AgentRelease
	Log          *slog.Logger
	// Secret gets every Secret that was read, and Credential what the agent logs in with, so that they can be masked. When
	// Secret returns an error, the Secrets are not used.
	Secret     func(object map[string]any) error
	Credential func(...string)
	Mask       func(text string) string // hides secrets in a text, such as the description of a failed release
}

// Connection is what reading and writing share; discovery is done once for both.
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

// Connect finds the cluster and sends no request yet. Errors carry exit.ConfigInvalid when the kubeconfig is wrong, or
// exit.ClusterUnreached.
func Connect(opts Options) (*Connection, error) {
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
	config.Wrap(repeatLost)
	c.Config = config
	if c.Client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, Unreachable(fmt.Errorf("connect to %s: %w", config.Host, err))
	}
	if c.Dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, Unreachable(fmt.Errorf("connect to %s: %w", config.Host, err))
	}
	c.Discovery = memory.NewMemCacheClient(c.Client.Discovery())
	c.Mapper = restmapper.NewDeferredDiscoveryRESTMapper(c.Discovery)
	return c, nil
}

// Capabilities are what charts may ask of the cluster; nil before [Connection.Discover].
func (c *Connection) Capabilities() *chartutil.Capabilities { return c.capabilities.Load() }

// SetCapabilities replaces them after a release has brought new kinds.
func (c *Connection) SetCapabilities(now *chartutil.Capabilities) { c.capabilities.Store(now) }

// Debugf logs what Helm says, at level debug.
func (c *Connection) Debugf(format string, args ...any) {
	c.Options.Log.Debug("helm", "message", fmt.Sprintf(format, args...))
}
