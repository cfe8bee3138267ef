package chart

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestConcurrentLoadsDownloadOnce(t *testing.T) {
	srv := serve(t, "web 1.0.0", "web 1.1.0")
	srv.user, srv.password = "u", "s3cret"
	s := newStore(t)
	charts := make([]*helmchart.Chart, 20)
	var wg sync.WaitGroup
	for i := range charts {
		wg.Go(func() {
			c, err := s.Load(t.Context(), release.Chart{Ref: "web", Repository: srv.repository(), Version: []string{"", "~1.1"}[i%2]})
			if err != nil {
				t.Error(err)
			}
			charts[i] = c
		})
	}
	wg.Wait()
	srv.expectRequests(t, map[string]int{"/index.yaml": 1, "/web-1.1.0.tgz": 1})
	charts[0].Templates[0].Name = "altered"
	charts[0].Metadata.Name = "altered"
	if charts[1].Metadata.Name != "web" || charts[1].Templates[0].Name == "altered" {
		t.Error("charts are not copies")
	}
}

func TestStoresOfOneDirectoryShareDownloads(t *testing.T) {
	srv := serve(t, "web 1.0.0")
	s := newStore(t)
	for range 2 {
		other, err := JoinStore(s.dir, nil, s.log)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Load(t.Context(), release.Chart{Ref: "web", Repository: srv.repository()}); err != nil {
			t.Fatal(err)
		}
	}
	srv.expectRequests(t, map[string]int{"/index.yaml": 1, "/web-1.0.0.tgz": 1})
}

func TestVersions(t *testing.T) {
	srv := serve(t, "web 1.0.0", "web 1.2.0", "web 2.0.0-rc.1", "worker 0.1.0")
	s := newStore(t)
	for name, test := range map[string]struct {
		chart release.Chart
		want  string
	}{
		"no version is the newest stable one": {release.Chart{Ref: "web"}, "web 1.2.0"},
		"devel admits pre-releases":           {release.Chart{Ref: "web", Devel: true}, "web 2.0.0-rc.1"},
		"a version overrides devel":           {release.Chart{Ref: "web", Devel: true, Version: "~1"}, "web 1.2.0"},
		"an exact version":                    {release.Chart{Ref: "web", Version: "1.0.0"}, "web 1.0.0"},
		"a constraint":                        {release.Chart{Ref: "web", Version: "< 1.2"}, "web 1.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			test.chart.Repository = srv.repository()
			c, err := s.Load(t.Context(), test.chart)
			if err != nil {
				t.Fatal(err)
			}
			if got := versionOf(c); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestErrorsSaySuggestionsAndHints(t *testing.T) {
	srv := serve(t, "web 1.0.0", "web 1.2.0", "webapp 1.0.0", "worker 0.1.0")
	s := newStore(t)
	load := func(c release.Chart) error {
		if c.Repository == nil {
			c.Repository = srv.repository()
		}
		_, err := s.Load(t.Context(), c)
		return err
	}
	charttest.ExpectError(t, load(release.Chart{Ref: "wep"}), "wep", srv.URL, "it has web")
	charttest.ExpectError(t, load(release.Chart{Ref: "web", Version: "9.9.9"}), "web", "9.9.9", "newest: 1.2.0, 1.0.0")
	_, err := s.Load(t.Context(), release.Chart{Ref: "web"})
	charttest.ExpectError(t, err, "the chart has no repository")

	srv.user, srv.password = "u", "s3cret"
	wrong := srv.repository()
	wrong.Username, wrong.URL = "wrong", strings.Replace(srv.URL, "//", "//who:s3cret@", 1)
	charttest.ExpectError(t, load(release.Chart{Ref: "web", Repository: wrong}), srv.URL, "401", "check the user name")
}

func TestDirectURL(t *testing.T) {
	srv := serve(t, "web 1.0.0")
	c, err := newStore(t).Load(t.Context(), release.Chart{Ref: srv.URL + "/web-1.0.0.tgz"})
	if err != nil || versionOf(c) != "web 1.0.0" {
		t.Fatal(c, err)
	}
	srv.expectRequests(t, map[string]int{"/web-1.0.0.tgz": 1})
}

func TestLoadEndsWithItsContext(t *testing.T) {
	unblock := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-unblock }))
	defer srv.Close()
	defer close(unblock)
	s, late := newStore(t), errors.New("too late")
	host := strings.TrimPrefix(srv.URL, "http://")
	for _, c := range []release.Chart{
		{Ref: "web", Repository: &release.Repository{Name: "slow", URL: srv.URL}},
		{Ref: "oci://" + host + "/web", Version: "1.0.0", PlainHTTP: true},
		{Ref: "oci://" + host + "/web", Version: "^1", PlainHTTP: true},
		{Path: charttest.WriteChart(t, t.TempDir(), "web", "1.0.0", `dependencies: [{name: redis, version: "1", repository: "`+srv.URL+`"}]`)},
	} {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, late)
		_, err := s.Load(ctx, c)
		cancel()
		if !errors.Is(err, late) {
			t.Errorf("got %v", err)
		}
		charttest.ExpectError(t, err, "web", "no answer from "+host+": too late")
	}
}

func TestPull(t *testing.T) {
	srv := serve(t, "web 1.0.0", "web 1.1.0")
	s, into := newStore(t), filepath.Join(t.TempDir(), "new")
	for _, version := range []string{"1.0.0", "1.1.0"} { // the second replaces the first
		dir, err := s.Pull(t.Context(), release.Chart{Ref: "web", Version: version, Repository: srv.repository()}, into)
		if err != nil || dir != filepath.Join(into, "web") {
			t.Fatal(dir, err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "Chart.yaml"))
		if err != nil || !strings.Contains(string(data), version) {
			t.Errorf("%s: %s, %v", version, data, err)
		}
	}
	if entries, _ := os.ReadDir(into); len(entries) != 1 {
		t.Errorf("other files remain: %v", entries)
	}
}
