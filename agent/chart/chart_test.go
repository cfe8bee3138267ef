package chart

import (
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/repo"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// loopback lets the store reach the servers of the tests.
var loopback = egress.Policy{Allowed: []string{"127.0.0.1", "::1"}}

func newStore(t *testing.T) *Store {
	t.Helper()
	// No credentials of the machine the tests run on.
	t.Setenv("HELM_REGISTRY_CONFIG", filepath.Join(t.TempDir(), "none.json"))
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s, err := NewStore(t.TempDir(), loopback, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// server is a chart repository that counts the requests.
type server struct {
	*httptest.Server
	dir string

	mu             sync.Mutex
	requests       map[string]int
	user, password string
}

func serve(t *testing.T, charts ...string) *server {
	t.Helper()
	s := &server{dir: t.TempDir(), requests: map[string]int{}}
	for _, c := range charts {
		name, version, _ := strings.Cut(c, " ")
		charttest.Package(t, s.dir, name, version)
	}
	s.index(t)
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) index(t *testing.T) {
	t.Helper()
	index, err := repo.IndexDirectory(s.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	index.SortEntries()
	if err := index.WriteFile(filepath.Join(s.dir, "index.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests[r.URL.Path]++
	s.mu.Unlock()
	user, password, _ := r.BasicAuth()
	if s.user != "" && (user != s.user || password != s.password) {
		http.Error(w, "wrong credentials", http.StatusUnauthorized)
		return
	}
	http.FileServer(http.Dir(s.dir)).ServeHTTP(w, r)
}

func (s *server) expectRequests(t *testing.T, want map[string]int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !maps.Equal(s.requests, want) {
		t.Errorf("the server got the requests %v, want %v", s.requests, want)
	}
}

func (s *server) repository() *release.Repository {
	return &release.Repository{Name: "test", URL: s.URL, Username: s.user, Password: s.password}
}

func versionOf(c *helmchart.Chart) string { return c.Name() + " " + c.Metadata.Version }
