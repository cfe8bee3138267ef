package servers

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// access lists the kinds of access to an HTTP server.
var access = map[string]Options{
	"open":                    {},
	"with a password":         {Username: "reader", Password: "s3cret"},
	"with TLS":                {TLS: true},
	"with TLS and a password": {Username: "reader", Password: "s3cret", TLS: true},
}

func TestServersRefuseTheWrongPassword(t *testing.T) {
	s, err := newHTTP(Options{Username: "reader", Password: "s3cret"}, http.NotFoundHandler())
	ok(t, err)
	t.Cleanup(s.Close)
	for _, header := range []string{"", "Basic cmVhZGVyOndyb25n"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/x", nil)
		ok(t, err)
		request.Header.Set("Authorization", header)
		response, err := s.Client().Do(request)
		ok(t, err)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("authorization %q: %s", header, response.Status)
		}
	}
	if diff := cmp.Diff([]string{"GET /x refused", "GET /x refused"}, s.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if n := s.Count("/x"); n != 0 {
		t.Errorf("%d requests counted that were refused", n)
	}
	s.Forget()
	if got := s.Requests(); len(got) != 0 {
		t.Errorf("requests after Forget: %q", got)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// chartDir makes the smallest chart.
func chartDir(t *testing.T, name, version string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	ok(t, os.MkdirAll(filepath.Join(dir, "templates"), 0o755))
	chart := "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n"
	ok(t, os.WriteFile(filepath.Join(dir, "Chart.yaml"), []byte(chart), 0o600))
	template := "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n"
	ok(t, os.WriteFile(filepath.Join(dir, "templates", "configmap.yaml"), []byte(template), 0o600))
	return dir
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	ok(t, err)
	return string(content)
}

// caFile writes a server's authority to a file, or returns "" for a server without TLS.
func caFile(t *testing.T, s *HTTP) string {
	t.Helper()
	if s.CA == nil {
		return ""
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	ok(t, os.WriteFile(path, s.CA, 0o600))
	return path
}

// withLogin puts a username and a password into a URL.
func withLogin(url string, opts Options) string {
	if opts.Username == "" {
		return url
	}
	return strings.Replace(url, "://", "://"+opts.Username+":"+opts.Password+"@", 1)
}
