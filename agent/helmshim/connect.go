package helmshim

import (
	"fmt"

	"helm.sh/helm/v3/pkg/cli"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
)

// useReadProxy makes Helm connect to the agent's read-only proxy of the API server. This process has no credentials for the cluster. A
// server, a token or a kubeconfig in the settings comes from the repository and is ignored.
func useReadProxy(settings *cli.EnvSettings) error {
	agent, err := broker.FromEnvironment()
	if err != nil {
		return err
	}
	flags, ok := settings.RESTClientGetter().(*genericclioptions.ConfigFlags)
	if !ok {
		return fmt.Errorf("helm's settings have the unexpected type %T", settings.RESTClientGetter())
	}
	flags.WrapConfigFn = func(*rest.Config) *rest.Config {
		return &rest.Config{Host: agent.Kubernetes(), Dial: agent.DialContext, QPS: -1}
	}
	settings.KubeConfig, settings.KubeContext, settings.KubeToken, settings.KubeCaFile = "", "", "", ""
	settings.KubeAsUser, settings.KubeAsGroups, settings.KubeTLSServerName = "", nil, ""
	settings.KubeAPIServer = agent.Kubernetes()
	return nil
}
