package servers

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	ociregistry "github.com/google/go-containerregistry/pkg/registry"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/registry"
)

const chartNamespace = "charts"

// Registry is an OCI registry that keeps everything in memory.
type Registry struct {
	*HTTP
	opts Options
}

// NewRegistry serves an empty registry.
func NewRegistry(opts Options) (*Registry, error) {
	handler := ociregistry.New(ociregistry.Logger(log.New(io.Discard, "", 0)))
	server, err := newHTTP(opts, handler)
	if err != nil {
		return nil, fmt.Errorf("serve a registry: %w", err)
	}
	return &Registry{HTTP: server, opts: opts}, nil
}

// PushChart packages and pushes the chart in a directory. The reference has no version, as in a helmfile:
// oci://127.0.0.1:port/charts/name; the digest is that of the manifest. Its requests are in Requests, too.
func (r *Registry) PushChart(chartDir string) (ref, digest string, err error) {
	return r.PushChartVersion(chartDir, "")
}

// PushChartVersion pushes the chart under a version other than the one in its Chart.yaml.
func (r *Registry) PushChartVersion(chartDir, version string) (ref, digest string, err error) {
	scratch, err := os.MkdirTemp("", "push-")
	if err != nil {
		return "", "", fmt.Errorf("push chart %s: %w", chartDir, err)
	}
	defer func() { _ = os.RemoveAll(scratch) }() // a temporary directory
	ref, digest, err = r.push(chartDir, version, scratch)
	if err != nil {
		return "", "", fmt.Errorf("push chart %s: %w", chartDir, err)
	}
	return ref, digest, nil
}

func (r *Registry) push(chartDir, version, scratch string) (ref, digest string, err error) {
	path, err := pack(chartDir, version, scratch)
	if err != nil {
		return "", "", err
	}
	archive, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	chart, err := loader.LoadFile(path)
	if err != nil {
		return "", "", err
	}
	client, err := r.client(scratch)
	if err != nil {
		return "", "", err
	}
	name := r.Host() + "/" + chartNamespace + "/" + chart.Metadata.Name
	result, err := client.Push(archive, name+":"+chart.Metadata.Version)
	if err != nil {
		return "", "", err
	}
	return registry.OCIScheme + "://" + name, result.Manifest.Digest, nil
}

// client logs in without changing the user's registry configuration.
func (r *Registry) client(scratch string) (*registry.Client, error) {
	options := []registry.ClientOption{
		registry.ClientOptWriter(io.Discard),
		registry.ClientOptHTTPClient(r.Client()),
		registry.ClientOptCredentialsFile(filepath.Join(scratch, "credentials.json")),
	}
	if !r.opts.TLS {
		options = append(options, registry.ClientOptPlainHTTP())
	}
	if r.opts.Username != "" || r.opts.Password != "" {
		options = append(options, registry.ClientOptBasicAuth(r.opts.Username, r.opts.Password))
	}
	return registry.NewClient(options...)
}
