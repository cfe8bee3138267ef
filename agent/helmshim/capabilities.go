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

// configuration makes Helm's configuration for a dry run. If server is set, Helm reads the cluster for capabilities and `lookup`. It
// validates manifests only with --validate. Releases are stored only in memory.
func (f *templateFlags) configuration(settings *cli.EnvSettings, server bool) (*action.Configuration, error) {
	discard := func(string, ...any) {}
	configuration := &action.Configuration{Log: discard}
	if server {
		if err := useReadProxy(settings); err != nil {
			return nil, err
		}
		if err := configuration.Init(settings.RESTClientGetter(), settings.Namespace(), "memory", discard); err != nil {
			return nil, fmt.Errorf("prepare access to the API server: %w", err)
		}
	}
	if !f.validate {
		configuration.KubeClient = &fake.PrintingKubeClient{Out: io.Discard}
	}
	memory := driver.NewMemory()
	memory.SetNamespace(settings.Namespace())
	configuration.Releases = storage.Init(memory)
	capabilities, err := f.capabilities(settings, server)
	configuration.Capabilities = capabilities
	return configuration, err
}

// capabilities are those of the cluster if server is set, otherwise Helm's built-in ones. Flags change them. Helm 3 itself uses the
// built-in ones also with --dry-run=server, so that a chart is rendered for other API versions than it is installed with.
func (f *templateFlags) capabilities(settings *cli.EnvSettings, server bool) (*chartutil.Capabilities, error) {
	capabilities := chartutil.DefaultCapabilities.Copy()
	if server {
		var err error
		if capabilities, err = clusterCapabilities(settings); err != nil {
			return nil, fmt.Errorf("read the capabilities of the cluster: %w", err)
		}
	}
	if f.kubeVersion != "" {
		parsed, err := chartutil.ParseKubeVersion(f.kubeVersion)
		if err != nil {
			return nil, fmt.Errorf("--kube-version %s: %w", f.kubeVersion, err)
		}
		capabilities.KubeVersion = *parsed
	}
	capabilities.APIVersions = slices.Concat(capabilities.APIVersions, chartutil.VersionSet(f.apiVersions))
	return capabilities, nil
}

func clusterCapabilities(settings *cli.EnvSettings) (*chartutil.Capabilities, error) {
	client, err := settings.RESTClientGetter().ToDiscoveryClient()
	if err != nil {
		return nil, err
	}
	version, err := client.ServerVersion()
	if err != nil {
		return nil, err
	}
	apis, err := action.GetVersionSet(client)
	// If an aggregated API is not available, only its own versions are missing.
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, err
	}
	return &chartutil.Capabilities{
		APIVersions: apis,
		KubeVersion: chartutil.KubeVersion{Version: version.GitVersion, Major: version.Major, Minor: version.Minor},
		HelmVersion: chartutil.DefaultCapabilities.HelmVersion,
	}, nil
}
