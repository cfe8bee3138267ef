package repositories

import (
	"strings"

	"helm.sh/helm/v3/pkg/registry"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// OCIURL is the URL of a registry. In a helmfile it has no oci:// scheme.
func OCIURL(r release.Repository) string {
	bare := strings.TrimPrefix(r.URL, registry.OCIScheme+"://")
	return registry.OCIScheme + "://" + strings.TrimSuffix(bare, "/")
}

// OCIHost is the host and port of a registry in requests.
func OCIHost(at string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(at, registry.OCIScheme+"://"), "/")
	if host == "docker.io" {
		return "registry-1.docker.io"
	}
	return host
}
