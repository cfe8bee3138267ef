package cluster

import (
	"log/slog"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/rbac"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/state"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/templates"
)

// Options say which cluster, as whom, and for which agent instance.
type Options struct {
	Kubeconfig   string // path; empty for the pod's own identity or kubectl's default
	Context      string // kubeconfig context; empty for the current one
	Namespace    string // the agent's own; empty for the context's
	Instance     string
	OwnSecrets   []string // Secrets in Namespace that charts must not look up
	AgentRelease string   // the Helm release in Namespace that installed the agent; empty when there is none
	SelfUpgrade  bool     // the helmfile may contain AgentRelease
	Charts       *chart.Store
	Renderer     templates.Renderer
	Volatile     []string // paths that differ in every run, and are therefore no part of a chart's identity
	Log          *slog.Logger
	// Secret gets every Secret that was read, and Credential what the agent logs in with, so that they can be masked. When
	// Secret returns an error, the Secrets are not used.
	Secret     func(object map[string]any) error
	Credential func(...string)
	Mask       func(text string) string // hides secrets in a text, such as the description of a failed release
}

// What the packages below internal exchange with the agent.
type (
	// Lock is an instance's Lease as it was found before the run looked at the cluster.
	Lock = state.Lock
	// State is an instance's state as it was read.
	State = state.State
	// Change is what is about to happen to one release.
	Change = rbac.Change
	// Action is what a [Change] does to a release.
	Action = rbac.Action
	// Access is what the agent may do of all that it needs.
	Access = rbac.Access
	// MissingRightsError says which rights the agent lacks.
	MissingRightsError = rbac.MissingRightsError
)

// The actions of a [Change].
const (
	Label     = rbac.Label
	Correct   = rbac.Correct
	Install   = rbac.Install
	Upgrade   = rbac.Upgrade
	Uninstall = rbac.Uninstall
	Lifecycle = rbac.Lifecycle
	NoAction  = rbac.NoAction
)

// Connect finds the cluster and sends no request yet. Errors carry exit.ConfigInvalid when the kubeconfig is wrong, or
// exit.ClusterUnreached.
func Connect(o Options) (*Reader, error) {
	c, err := kube.Connect(kube.Options{
		Kubeconfig: o.Kubeconfig, Context: o.Context, Namespace: o.Namespace, Instance: o.Instance, OwnSecrets: o.OwnSecrets, AgentRelease: o.AgentRelease, SelfUpgrade: o.SelfUpgrade,
		Log: o.Log, Secret: o.Secret, Credential: o.Credential, Mask: o.Mask,
	})
	if err != nil {
		return nil, err
	}
	return newReader(c, o), nil
}
