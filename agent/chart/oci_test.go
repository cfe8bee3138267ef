package chart

import (
	"encoding/base64"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	helmregistry "helm.sh/helm/v3/pkg/registry"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/oci"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// serveOCI is a registry over plain HTTP that holds web in the given versions; it returns host/charts and their digests.
func serveOCI(t *testing.T, user, password string, provenance map[string][]byte, archives ...string) (string, map[string]string) {
	t.Helper()
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); user != "" && (u != user || p != password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	at := strings.TrimPrefix(srv.URL, "http://") + "/charts"
	client, err := helmregistry.NewClient(helmregistry.ClientOptPlainHTTP(), helmregistry.ClientOptBasicAuth(user, password))
	if err != nil {
		t.Fatal(err)
	}
	digests := map[string]string{}
	for _, file := range archives {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		version := strings.TrimSuffix(file[strings.LastIndex(file, "web-")+4:], ".tgz")
		pushed, err := client.Push(data, at+"/web:"+version, helmregistry.PushOptProvData(provenance[file]))
		if err != nil {
			t.Fatal(err)
		}
		digests[version] = pushed.Manifest.Digest
	}
	return at, digests
}

func TestOCI(t *testing.T) {
	dir := t.TempDir()
	at, digests := serveOCI(t, "u", "s3cret", nil, charttest.Package(t, dir, "web", "1.0.0"), charttest.Package(t, dir, "web", "1.2.0+build.5"))
	r := &release.Repository{Name: "reg", URL: at, OCI: true, PlainHTTP: true, Username: "u", Password: "s3cret"}
	s := newStore(t)
	const newestWeb = "web 1.2.0+build.5"
	for name, test := range map[string]struct{ ref, version, want string }{
		"a version":                  {"", "1.0.0", "web 1.0.0"},
		"a version with a plus":      {"", "1.2.0+build.5", newestWeb},
		"a constraint":               {"", "^1.0.0", newestWeb},
		"the newest":                 {"", "", newestWeb},
		"a tag":                      {":1.0.0", "", "web 1.0.0"},
		"a digest":                   {"@" + digests["1.0.0"], "", "web 1.0.0"},
		"a digest in the version":    {"", "1.0.0@" + digests["1.0.0"], "web 1.0.0"},
		"a digest with a constraint": {"@" + digests["1.0.0"], "^1", "web 1.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := s.Load(t.Context(), release.Chart{Ref: "oci://" + at + "/web" + test.ref, Version: test.version, Repository: r})
			if err != nil {
				t.Fatal(err)
			}
			if got := versionOf(c); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	for name, test := range map[string]struct {
		version string
		words   []string
	}{
		"no such version":           {"3.0.0", []string{"3.0.0", at, "newest versions: 1.2.0+build.5, 1.0.0"}},
		"no version so constrained": {">=2", []string{">=2", "newest: 1.2.0+build.5"}},
		"another digest":            {"1.2.0+build.5@" + digests["1.0.0"], []string{"has digest", digests["1.0.0"]}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Load(t.Context(), release.Chart{Ref: "oci://" + at + "/web", Version: test.version, Repository: r})
			charttest.ExpectError(t, err, test.words...)
		})
	}
}

func TestOCICredentialsStayWithTheirHost(t *testing.T) {
	at, _ := serveOCI(t, "u", "s3cret", nil, charttest.Package(t, t.TempDir(), "web", "1.0.0"))
	c := release.Chart{Ref: "oci://" + at + "/web", Version: "1.0.0", PlainHTTP: true}
	s := newStore(t)
	s.AddRepositories(release.Repository{Name: "other", URL: "elsewhere.example", OCI: true, Username: "u", Password: "s3cret"})
	_, err := s.Load(t.Context(), c)
	charttest.ExpectError(t, err, "check the user name")

	s = newStore(t)
	s.AddRepositories(release.Repository{Name: "reg", URL: at, OCI: true, Username: "u", Password: "s3cret"})
	if _, err := s.Load(t.Context(), c); err != nil {
		t.Error(err)
	}
}

func TestNoFallBackToPlainHTTP(t *testing.T) {
	at, _ := serveOCI(t, "", "", nil, charttest.Package(t, t.TempDir(), "web", "1.0.0"))
	_, err := newStore(t).Load(t.Context(), release.Chart{Ref: "oci://" + at + "/web", Version: "1.0.0"})
	charttest.ExpectError(t, err, "plainHttp: true")
}

func TestStoredRegistryCredentials(t *testing.T) {
	at, _ := serveOCI(t, "u", "s3cret", nil, charttest.Package(t, t.TempDir(), "web", "1.0.0"))
	host, _, _ := strings.Cut(at, "/")
	login := `{"auths":{"` + host + `":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("u:s3cret")) + `"}}}`
	for _, name := range []string{"HELM_REGISTRY_CONFIG", "DOCKER_CONFIG"} {
		s := newStore(t)
		file := filepath.Join(t.TempDir(), "config.json")
		charttest.Write(t, file, login)
		if name == "DOCKER_CONFIG" {
			t.Setenv(name, filepath.Dir(file))
		} else {
			t.Setenv(name, file)
		}
		_, err := s.Load(t.Context(), release.Chart{Ref: "oci://" + at + "/web", Version: "1.0.0", PlainHTTP: true})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRegistryCertificatesLieInTheRepository(t *testing.T) {
	s, _, outside := confined(t)
	charttest.Write(t, filepath.Join(outside, "existing"), "s3cret")
	_, err := oci.New(s.policy, s.trust, s.known).HelmClient(t.Context(), []release.Repository{{OCI: true, URL: "h/p", CAFile: filepath.Join(outside, "existing")}}, false)
	charttest.ExpectError(t, err, "outside of the repository")
}

func TestVersionsOfARegistryAreListedPerConnection(t *testing.T) {
	at, _ := serveOCI(t, "", "", nil, charttest.Package(t, t.TempDir(), "web", "1.0.0"))
	s := newStore(t)
	c := release.Chart{Ref: "oci://" + at + "/web", Version: "^1"}
	_, err := s.Load(t.Context(), c)
	charttest.ExpectError(t, err, "plainHttp: true")
	c.PlainHTTP = true
	if _, err := s.Load(t.Context(), c); err != nil {
		t.Errorf("another release with plainHttp: %v", err)
	}
}
