package chart

import (
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
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestTLS(t *testing.T) {
	charts := serve(t, "web 1.0.0")
	web, webCA := charttest.TLSServer(t, charts)
	reg, regCA := charttest.TLSServer(t, registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	at := strings.TrimPrefix(reg.URL, "https://") + "/charts"
	client, err := helmregistry.NewClient(helmregistry.ClientOptHTTPClient(reg.Client()))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(charts.dir, "web-1.0.0.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Push(data, at+"/web:1.0.0"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]release.Chart{
		webCA: {Ref: "web", Repository: &release.Repository{Name: "web", URL: web.URL}},
		regCA: {Ref: "web", Version: "1.0.0", Repository: &release.Repository{Name: "reg", URL: at, OCI: true}},
	} {
		_, err := newStore(t).Load(t.Context(), c)
		charttest.ExpectError(t, err, "unknown authority", "set caFile")

		trusting := *c.Repository
		trusting.CAFile = name
		trusted := c
		trusted.Repository = &trusting
		if _, err := newStore(t).Load(t.Context(), trusted); err != nil {
			t.Error("with the CA:", err)
		}
		c.InsecureSkipTLSVerify = true
		if _, err := newStore(t).Load(t.Context(), c); err != nil {
			t.Error("insecure:", err)
		}
	}
}

func TestCredentialsGoToOtherHostsOnlyWithPassCredentials(t *testing.T) {
	charts := serve(t, "web 1.0.0")
	charts.user, charts.password = "u", "s3cret"
	index := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "apiVersion: v1\nentries:\n  web:\n  - {apiVersion: v2, name: web, version: 1.0.0, urls: ['"+charts.URL+"/web-1.0.0.tgz']}\n")
	}))
	defer index.Close()
	c := release.Chart{Ref: "web", Repository: &release.Repository{Name: "r", URL: index.URL, Username: "u", Password: "s3cret"}}
	_, err := newStore(t).Load(t.Context(), c)
	charttest.ExpectError(t, err, "401")
	c.Repository.PassCredentials = true
	if _, err := newStore(t).Load(t.Context(), c); err != nil {
		t.Error(err)
	}
}
