package helmshim

import (
	"fmt"

	"helm.sh/helm/v3/pkg/cli"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
)

// throughTheAgent makes the settings lead to the agent's read-only proxy of the cluster: this process has no identity of its own, and
// what the repository says about a server, a token or a kubeconfig does not count.
func throughTheAgent(settings *cli.EnvSettings) error {
	agent, err := broker.FromEnvironment()
	if err != nil {
		return err
	}
	flags, ok := settings.RESTClientGetter().(*genericclioptions.ConfigFlags)
	if !ok {
		return fmt.Errorf("helm's settings have no flags, but a %T", settings.RESTClientGetter())
	}
	flags.WrapConfigFn = func(*rest.Config) *rest.Config {
		return &rest.Config{Host: agent.Kubernetes(), Dial: agent.DialContext, QPS: -1}
	}
	settings.KubeConfig, settings.KubeContext, settings.KubeToken, settings.KubeCaFile = "", "", "", ""
	settings.KubeAsUser, settings.KubeAsGroups, settings.KubeTLSServerName = "", nil, ""
	settings.KubeAPIServer = agent.Kubernetes()
	return nil
}
