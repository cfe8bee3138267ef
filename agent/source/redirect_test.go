package source

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// redirectTo answers every request with a redirect to the same path on another server.
func redirectTo(to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to+r.URL.RequestURI(), http.StatusFound)
	})
}

// countingHandler counts all requests, and those with credentials.
type countingHandler struct {
	http.Handler
	all, credentials atomic.Int32
}

func (w *countingHandler) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.all.Add(1)
	if r.Header.Get("Authorization") != "" {
		w.credentials.Add(1)
	}
	w.Handler.ServeHTTP(out, r)
}

func TestCredentialsAreNotSentToOtherServer(t *testing.T) {
	e := newExample(t)
	other := &countingHandler{Handler: httpBackend(t, e.root, "")}
	target := httptest.NewServer(other) // the same host, another port
	defer target.Close()
	server := httptest.NewServer(redirectTo(target.URL))
	defer server.Close()
	_, err := cloneWithLimits(timeout30s(t), Request{Repo: server.URL + "/config",
		Auth: Auth{Password: "hunter2", AllowPlainHTTP: true}}, t.TempDir())
	expectRefusal(t, err, exit.SourceRefused, "the server redirects to "+target.URL, "set repo to its URL")
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the message contains the password: %v", err)
	}
	if other.all.Load() != 0 {
		t.Errorf("the other server got %d requests, %d of them with credentials", other.all.Load(), other.credentials.Load())
	}
}

func TestRedirectWithoutCredentialsIsFollowed(t *testing.T) {
	e := newExample(t)
	server := httptest.NewServer(redirectTo(serveHTTP(t, e.root, "")))
	defer server.Close()
	listed := egress.Policy{Allowed: []string{"127.0.0.1"}}
	got, err := cloneWithLimits(timeout30s(t), Request{Repo: server.URL + "/config", Remote: listed}, t.TempDir())
	if err != nil || got.Commit != e.third {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestRedirectToLocalAddressIsRefused checks redirects to loopback addresses and to a cloud's metadata server, with and without a CA file.
func TestRedirectToLocalAddressIsRefused(t *testing.T) {
	e := newExample(t)
	other := &countingHandler{Handler: httpBackend(t, e.root, "")}
	target := httptest.NewServer(other)
	defer target.Close()
	for _, to := range []string{target.URL, "http://169.254.169.254"} {
		server := httptest.NewServer(redirectTo(to))
		t.Cleanup(server.Close)
		_, err := cloneWithLimits(timeout30s(t), Request{Repo: server.URL + "/config", Remote: egress.Policy{Allowed: []string{"*"}}}, t.TempDir())
		expectRefusal(t, err, exit.SourceRefused, "redirects to another server", "allowRemote")
	}
	secure := httptest.NewTLSServer(nil)
	defer secure.Close()
	server := httptest.NewTLSServer(redirectTo(secure.URL))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, content, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := cloneWithLimits(timeout30s(t), Request{Repo: server.URL + "/config", Auth: Auth{CAFile: ca}}, t.TempDir())
	expectRefusal(t, err, exit.SourceRefused, "redirects to another server", "allowRemote")
	if other.all.Load() != 0 {
		t.Errorf("the other server got %d requests", other.all.Load())
	}
}

func TestRedirectOnSameServerKeepsCredentials(t *testing.T) {
	e := newExample(t)
	backend := httpBackend(t, e.root, "hunter2")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path, old := strings.CutPrefix(r.URL.RequestURI(), "/old"); old {
			http.Redirect(w, r, path, http.StatusMovedPermanently)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	defer server.Close()
	got, err := cloneWithLimits(timeout30s(t), Request{Repo: server.URL + "/old/config",
		Auth: Auth{Password: "hunter2", AllowPlainHTTP: true}}, t.TempDir())
	if err != nil || got.Commit != e.third {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestRedirectToPlainHTTPIsRefused(t *testing.T) {
	e := newExample(t)
	plain := &countingHandler{Handler: httpBackend(t, e.root, "")}
	target := httptest.NewServer(plain)
	defer target.Close()
	server := httptest.NewTLSServer(redirectTo(target.URL))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, auth := range map[string]Auth{
		"with credentials":    {CAFile: ca, Password: "hunter2", AllowPlainHTTP: true},
		"without credentials": {CAFile: ca},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cloneWithLimits(timeout30s(t), Request{Repo: server.URL + "/config", Auth: auth}, t.TempDir())
			expectRefusal(t, err, exit.SourceRefused, "redirects from https to http", "correct the server")
			if plain.all.Load() != 0 {
				t.Error("the other server got a request")
			}
		})
	}
}

func TestCredentialsOverPlainHTTPNeedTheSetting(t *testing.T) {
	e := newExample(t)
	backend := &countingHandler{Handler: httpBackend(t, e.root, "")}
	server := httptest.NewServer(backend)
	defer server.Close()
	for name, req := range map[string]Request{
		"a password":  {Repo: server.URL + "/config", Auth: Auth{Password: "hunter2"}},
		"a user name": {Repo: server.URL + "/config", Auth: Auth{Username: "token"}},
		"in the URL":  {Repo: strings.Replace(server.URL, "://", "://ada:hunter2@", 1) + "/config"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cloneWithLimits(timeout30s(t), req, t.TempDir())
			expectRefusal(t, err, exit.ConfigInvalid, "plain http", "use https, or set gitAllowPlainHttp")
		})
	}
	if backend.all.Load() != 0 {
		t.Error("the server got a request")
	}
}
