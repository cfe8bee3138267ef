package helmshim

import (
	"fmt"
	"io"
	"slices"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/kube/fake"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	"k8s.io/client-go/discovery"
)

// configuration reaches the cluster for capabilities and `lookup` if server is set, and to validate if that is asked
// for; its releases are never stored.
func (f *templateFlags) configuration(settings *cli.EnvSettings, server bool) (*action.Configuration, error) {
	quiet := func(string, ...any) {}
	configuration := &action.Configuration{Log: quiet}
	if server {
		if err := throughTheAgent(settings); err != nil {
			return nil, err
		}
		if err := configuration.Init(settings.RESTClientGetter(), settings.Namespace(), "memory", quiet); err != nil {
			return nil, fmt.Errorf("prepare access to the cluster: %w", err)
		}
	}
	if !f.validate {
		configuration.KubeClient = &fake.PrintingKubeClient{Out: io.Discard}
	}
	memory := driver.NewMemory()
	memory.SetNamespace(settings.Namespace())
	configuration.Releases = storage.Init(memory)
	known, err := f.capabilities(settings, server)
	configuration.Capabilities = known
	return configuration, err
}

// capabilities are the cluster's, or else Helm's own; what flags say is put on top. (Helm 3 itself lets
// --dry-run=server look things up, but still pretends that the cluster has Helm's capabilities: a chart would be
// rendered for other API versions than it is installed with.)
func (f *templateFlags) capabilities(settings *cli.EnvSettings, server bool) (*chartutil.Capabilities, error) {
	known := chartutil.DefaultCapabilities.Copy()
	if server {
		var err error
		if known, err = ofCluster(settings); err != nil {
			return nil, fmt.Errorf("ask the cluster what it can do: %w", err)
		}
	}
	if f.kubeVersion != "" {
		parsed, err := chartutil.ParseKubeVersion(f.kubeVersion)
		if err != nil {
			return nil, fmt.Errorf("--kube-version %s: %w", f.kubeVersion, err)
		}
		known.KubeVersion = *parsed
	}
	known.APIVersions = slices.Concat(known.APIVersions, chartutil.VersionSet(f.apiVersions))
	return known, nil
}

func ofCluster(settings *cli.EnvSettings) (*chartutil.Capabilities, error) {
	client, err := settings.RESTClientGetter().ToDiscoveryClient()
	if err != nil {
		return nil, err
	}
	version, err := client.ServerVersion()
	if err != nil {
		return nil, err
	}
	apis, err := action.GetVersionSet(client)
	// An aggregated API that is down hides only its own versions.
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, err
	}
	return &chartutil.Capabilities{
		APIVersions: apis,
		KubeVersion: chartutil.KubeVersion{Version: version.GitVersion, Major: version.Major, Minor: version.Minor},
		HelmVersion: chartutil.DefaultCapabilities.HelmVersion,
	}, nil
}
