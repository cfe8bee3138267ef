package broker

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// service records the requests.
type service struct {
	requests []any
	pull     func(context.Context)
}

func (s *service) Decrypt(_ context.Context, file EncryptedFile) ([]byte, error) {
	s.requests = append(s.requests, file)
	if file.Name == "refused" {
		return nil, exit.With(exit.SecretsUnreadable, errors.New("no key"))
	}
	return append([]byte("plain "), file.Content...), nil
}

func (s *service) Register(repositories []release.Repository) error {
	s.requests = append(s.requests, repositories)
	return nil
}

func (s *service) Pull(ctx context.Context, c release.Chart) (string, error) {
	if s.pull != nil {
		s.pull(ctx)
		return "/pulled", nil
	}
	s.requests = append(s.requests, c)
	return "/pulled", nil
}

func (s *service) BuildDependencies(_ context.Context, want Dependencies) (string, error) {
	s.requests = append(s.requests, want)
	return "/built", nil
}

func newServer(t *testing.T, workspace string) (*service, *Client) {
	t.Helper()
	s := &service{}
	kubernetes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Method+" "+r.URL.Path) })
	served, err := Serve(t.Context(), workspace, s, kubernetes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = served.Close() })
	return s, Dial(workspace)
}

func TestRequestsReachTheService(t *testing.T) {
	s, c := newServer(t, t.TempDir())
	ctx := t.Context()
	plain, err := c.Decrypt(ctx, EncryptedFile{Name: "a.yaml", Format: "yaml", Content: []byte{0, 1, 255}})
	if string(plain) != "plain \x00\x01\xff" || err != nil {
		t.Errorf("got %q, %v", plain, err)
	}
	if err := c.Register(ctx, release.Repository{Name: "r", Password: "p"}); err != nil {
		t.Error(err)
	}
	if dir, err := c.Pull(ctx, release.Chart{Ref: "oci://x/y", Repository: &release.Repository{OCI: true}}); dir != "/pulled" || err != nil {
		t.Errorf("got %q, %v", dir, err)
	}
	if dir, err := c.BuildDependencies(ctx, Dependencies{Dir: "/a", Update: true}); dir != "/built" || err != nil {
		t.Errorf("got %q, %v", dir, err)
	}
	want := []any{
		EncryptedFile{Name: "a.yaml", Format: "yaml", Content: []byte{0, 1, 255}}, []release.Repository{{Name: "r", Password: "p"}},
		release.Chart{Ref: "oci://x/y", Repository: &release.Repository{OCI: true}}, Dependencies{Dir: "/a", Update: true},
	}
	if diff := cmp.Diff(want, s.requests); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsKeepTheirCodes(t *testing.T) {
	_, c := newServer(t, t.TempDir())
	_, err := c.Decrypt(t.Context(), EncryptedFile{Name: "refused"})
	if exit.Of(err) != exit.SecretsUnreadable || err.Error() != "no key" {
		t.Errorf("got %v with %d", err, exit.Of(err))
	}
}

func TestRequestsHaveALimit(t *testing.T) {
	s, c := newServer(t, t.TempDir())
	_, err := c.Decrypt(t.Context(), EncryptedFile{Name: "large", Content: make([]byte, maxMessage)})
	if err == nil || len(s.requests) > 0 {
		t.Errorf("got %v, and the service got %d requests", err, len(s.requests))
	}
}

// TestRequestsWaitForEachOther: the service gets a limited number of requests at the same time, and all are answered.
func TestRequestsWaitForEachOther(t *testing.T) {
	s, c := newServer(t, t.TempDir())
	var working, most, done atomic.Int64
	s.pull = func(context.Context) {
		now := working.Add(1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		time.Sleep(10 * time.Millisecond)
		working.Add(-1)
		done.Add(1)
	}
	var group sync.WaitGroup
	for range 2 * maxConnections {
		group.Go(func() {
			if _, err := c.Pull(t.Context(), release.Chart{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if most.Load() > maxRequests || most.Load() < 2 || done.Load() != 2*maxConnections {
		t.Errorf("%d at once, %d done", most.Load(), done.Load())
	}
}

// TestSlowRequestsAreNotInterrupted: the timeout is for sending a request, and not for answering it or for waiting for other requests.
func TestSlowRequestsAreNotInterrupted(t *testing.T) {
	workspace, timeout := t.TempDir(), 100*time.Millisecond
	s := &service{pull: func(ctx context.Context) {
		time.Sleep(3 * timeout)
		if ctx.Err() != nil {
			t.Errorf("the request was interrupted: %v", ctx.Err())
		}
	}}
	server, err := serve(t.Context(), workspace, s, nil, timeout)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	c := Dial(workspace)
	var group sync.WaitGroup
	for range maxRequests {
		group.Go(func() {
			if _, err := c.Pull(t.Context(), release.Chart{}); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(timeout / 2)
	if _, err := c.Decrypt(t.Context(), EncryptedFile{Name: "large", Content: make([]byte, 1<<20)}); err != nil {
		t.Errorf("a request that waited: %v", err)
	}
	group.Wait()
}

// TestConnectionsHaveALimit: connections above the limit wait until others are closed.
func TestConnectionsHaveALimit(t *testing.T) {
	_, c := newServer(t, t.TempDir())
	var open []net.Conn
	for range maxConnections {
		connection, err := c.DialContext(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, connection)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := c.Pull(ctx, release.Chart{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a connection above the limit was accepted: %v", err)
	}
	for _, connection := range open {
		_ = connection.Close()
	}
	if _, err := c.Pull(t.Context(), release.Chart{}); err != nil {
		t.Errorf("closed connections still count: %v", err)
	}
}

// TestRequestsHaveALength: the agent does not read a body of unknown length.
func TestRequestsHaveALength(t *testing.T) {
	s, c := newServer(t, t.TempDir())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, host+decryptPath, io.MultiReader(strings.NewReader("{}")))
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusLengthRequired || len(s.requests) > 0 {
		t.Errorf("got %s", response.Status)
	}
}

func TestClientsOnlyReadTheCluster(t *testing.T) {
	_, c := newServer(t, t.TempDir())
	for method, want := range map[string]int{http.MethodGet: 200, http.MethodPost: 405, http.MethodDelete: 405, http.MethodPatch: 405} {
		request, err := http.NewRequestWithContext(t.Context(), method, c.Kubernetes()+"/api/v1/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := c.http.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != want || want == 200 && string(body) != "GET /api/v1/x" {
			t.Errorf("%s: %s %q", method, response.Status, body)
		}
	}
}

// TestLongPaths: the address of a socket can have only about 100 bytes.
func TestLongPaths(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("d", 120))
	if err := os.Mkdir(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	_, c := newServer(t, deep)
	if _, err := c.Pull(t.Context(), release.Chart{}); err != nil {
		t.Error(err)
	}
}

func TestAClientWithoutAnAgent(t *testing.T) {
	t.Setenv(WorkspaceVariable, "")
	if _, err := FromEnvironment(); err == nil {
		t.Error("no error without an agent")
	}
	if _, err := Dial(t.TempDir()).Pull(t.Context(), release.Chart{}); err == nil {
		t.Error("no error")
	}
}

// TestAServerWithoutAService: a process that renders charts can only read the cluster.
func TestAServerWithoutAService(t *testing.T) {
	workspace := t.TempDir()
	served, err := Serve(t.Context(), workspace, nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = served.Close() }()
	c := Dial(workspace)
	if _, err := c.Decrypt(t.Context(), EncryptedFile{}); err == nil {
		t.Error("no error")
	}
	response, err := c.http.Get(c.Kubernetes() + "/api/v1/x")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("got %v", response)
	}
}
