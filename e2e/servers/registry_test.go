package servers

import (
	"slices"
	"strings"
	"testing"
)

func TestRegistryIsPulledFrom(t *testing.T) {
	for how, opts := range access {
		t.Run(how, func(t *testing.T) {
			server := newRegistry(t, opts)
			ref, digest, err := server.PushChart(chartDir(t, "web", "1.2.3"))
			ok(t, err)
			if want := "oci://" + server.Host() + "/charts/web"; ref != want {
				t.Errorf("reference %s, want %s", ref, want)
			}
			server.Forget()

			client, err := server.client(t.TempDir())
			ok(t, err)
			pulled, err := client.Pull(strings.TrimPrefix(ref, "oci://") + ":1.2.3")
			ok(t, err)
			if pulled.Manifest.Digest != digest {
				t.Errorf("pulled %s, want %s", pulled.Manifest.Digest, digest)
			}
			if got := pulled.Chart.Meta; got.Name != "web" || got.Version != "1.2.3" {
				t.Errorf("pulled %s %s", got.Name, got.Version)
			}
			if n := server.Count("/v2/charts/web/manifests/1.2.3"); n != 1 {
				t.Errorf("%d reads of the manifest, want 1: %q", n, server.Requests())
			}
		})
	}
}

func TestRegistryListsVersions(t *testing.T) {
	server := newRegistry(t, Options{})
	dir := chartDir(t, "web", "1.2.3")
	for _, version := range []string{"", "2.0.0"} {
		_, _, err := server.PushChartVersion(dir, version)
		ok(t, err)
	}
	client, err := server.client(t.TempDir())
	ok(t, err)
	tags, err := client.Tags(server.Host() + "/charts/web")
	ok(t, err)
	if !slices.Equal(tags, []string{"2.0.0", "1.2.3"}) {
		t.Errorf("tags %v", tags)
	}
}

func TestRegistryRefusesAClientWithoutPassword(t *testing.T) {
	server := newRegistry(t, access["with a password"])
	ref, _, err := server.PushChart(chartDir(t, "web", "1.2.3"))
	ok(t, err)
	stranger := &Registry{HTTP: server.HTTP}
	client, err := stranger.client(t.TempDir())
	ok(t, err)
	if _, err := client.Pull(strings.TrimPrefix(ref, "oci://") + ":1.2.3"); err == nil {
		t.Error("pulled without a password")
	}
}

func newRegistry(t *testing.T, opts Options) *Registry {
	t.Helper()
	server, err := NewRegistry(opts)
	ok(t, err)
	t.Cleanup(server.Close)
	return server
}
