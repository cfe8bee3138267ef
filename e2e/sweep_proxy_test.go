package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// fault is what goes wrong at one request.
type fault struct {
	name      string
	forwarded bool           // the API server gets the request all the same
	signal    syscall.Signal // to the agent
	reads     bool           // requests that read count too
	answer    func(w http.ResponseWriter, given *http.Response, body []byte)
}

func dropped(http.ResponseWriter, *http.Response, []byte) { panic(http.ErrAbortHandler) }

func failing(code int) func(http.ResponseWriter, *http.Response, []byte) {
	return func(w http.ResponseWriter, _ *http.Response, _ []byte) { http.Error(w, "broken on purpose", code) }
}

// truncated promises the whole answer and breaks off.
func truncated(w http.ResponseWriter, given *http.Response, body []byte) {
	w.Header().Set("Content-Type", given.Header.Get("Content-Type"))
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(given.StatusCode)
	_, _ = w.Write(body[:len(body)/2])
	panic(http.ErrAbortHandler)
}

var faults = []fault{
	{name: "SIGKILL before a write", signal: syscall.SIGKILL, answer: dropped},
	{name: "SIGKILL after a write", signal: syscall.SIGKILL, forwarded: true, answer: dropped},
	{name: "SIGTERM before a write", signal: syscall.SIGTERM, forwarded: true},
	{name: "SIGTERM after a write", signal: syscall.SIGTERM, forwarded: true},
	{name: "a write fails with 500", answer: failing(500)},
	{name: "a write is done, and its answer is 504", forwarded: true, answer: failing(504)},
	{name: "the connection of a write drops before", answer: dropped},
	{name: "the connection of a write drops after", forwarded: true, answer: dropped},
	{name: "the answer to a write is truncated", forwarded: true, answer: truncated},
	{name: "any request fails with 500", reads: true, answer: failing(500)},
	{name: "the connection of any request drops", reads: true, answer: dropped},
	{name: "the answer to any request is truncated", reads: true, forwarded: true, answer: truncated},
}

// sweepProxy stands between an agent and the API server, and lets one request go wrong.
type sweepProxy struct {
	t        *testing.T
	upstream *url.URL
	rest     *httputil.ReverseProxy
	through  http.RoundTripper

	flying  sync.WaitGroup // requests that the agent may no longer wait for
	mu      sync.Mutex
	fault   fault
	at      int // the request that goes wrong, from 1; 0 is none
	counted int
	writes  int // of those that were counted
	fired   time.Time
	process *os.Process
	written []string // what the API server has done: "create configmaps/web"
}

// newSweepProxy returns a proxy, and the kubeconfig of the user through it.
func newSweepProxy(t *testing.T, u tenant) (*sweepProxy, string) {
	t.Helper()
	config := must(control.ConfigFor(u.user))(t)
	p := &sweepProxy{t: t, upstream: must(url.Parse(config.Host))(t), through: must(rest.TransportFor(config))(t)}
	p.rest = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(p.upstream) }, Transport: p.through, FlushInterval: -1, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
		w.WriteHeader(http.StatusBadGateway) // the agent was killed
	}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	kubeconfig := api.NewConfig()
	kubeconfig.Clusters["proxy"] = &api.Cluster{Server: server.URL}
	kubeconfig.Contexts["proxy"] = &api.Context{Cluster: "proxy", Namespace: u.namespace}
	kubeconfig.CurrentContext = "proxy"
	file := t.TempDir() + "/kubeconfig"
	check(t, clientcmd.WriteToFile(*kubeconfig, file))
	return p, file
}

// arm has the request of that number go wrong.
func (p *sweepProxy) arm(f fault, at int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.at, p.counted, p.writes, p.fired, p.written = f, at, 0, 0, time.Time{}, nil
}

func (p *sweepProxy) runs(process *os.Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.process = process
}

func (p *sweepProxy) disarm() (fired time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = 0
	return p.fired
}

func (p *sweepProxy) firedAt() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fired
}

func isSweptWrite(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return !strings.Contains(r.URL.Path, "/authorization.k8s.io/") && r.URL.Query().Get("dryRun") == ""
	}
	return false
}

// next says whether this request is the one that goes wrong.
func (p *sweepProxy) next(write bool) (fault, *os.Process, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !write && !p.fault.reads {
		return fault{}, nil, false
	}
	p.counted++
	if write {
		p.writes++
	}
	if p.at == 0 || p.counted != p.at {
		return fault{}, nil, false
	}
	p.fired = time.Now()
	return p.fault, p.process, true
}

// ServeHTTP implements http.Handler.
func (p *sweepProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	write := isSweptWrite(r)
	if write {
		p.flying.Add(1)
		defer p.flying.Done()
	}
	f, process, wrong := p.next(write)
	if !write && !wrong {
		p.rest.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if wrong && f.signal != 0 && !strings.Contains(f.name, "after") {
		p.signal(process, f.signal)
	}
	if wrong && !f.forwarded {
		f.answer(w, nil, nil)
		return
	}
	given, content := p.forward(w, r, body) //nolint:bodyclose // forward has read and closed it
	if write && given.StatusCode < 300 {
		p.note(r, body)
	}
	if wrong && f.signal != 0 && strings.Contains(f.name, "after") {
		p.signal(process, f.signal)
	}
	if wrong && f.answer != nil {
		f.answer(w, given, content)
		return
	}
	for name, values := range given.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(given.StatusCode)
	_, _ = w.Write(content) // the agent may have been killed
}

// signalTime is what a signal needs to reach a process and have its effect.
const signalTime = 50 * time.Millisecond

func (p *sweepProxy) signal(process *os.Process, signal syscall.Signal) {
	_ = process.Signal(signal) // it may just have ended
	time.Sleep(signalTime)
}

// forward does what was asked also when the client is no longer there, as a busy API server does.
func (p *sweepProxy) forward(_ http.ResponseWriter, r *http.Request, body []byte) (*http.Response, []byte) {
	request := r.Clone(context.WithoutCancel(r.Context()))
	request.RequestURI, request.Host = "", ""
	request.URL.Scheme, request.URL.Host = p.upstream.Scheme, p.upstream.Host
	request.Body = io.NopCloser(bytes.NewReader(body))
	given, err := p.through.RoundTrip(request)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = given.Body.Close() }() // it is read
	content, err := io.ReadAll(given.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return given, content
}

func (p *sweepProxy) note(r *http.Request, body []byte) {
	verb := map[string]string{http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete"}[r.Method]
	dir, name := path.Split(r.URL.Path)
	resource := path.Base(dir)
	if r.Method == http.MethodPost {
		resource, name = name, postedName(body)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.written = append(p.written, fmt.Sprintf("%s %s/%s", verb, resource, name))
}

func postedName(body []byte) string {
	var posted struct{ Metadata struct{ Name string } }
	if json.Unmarshal(body, &posted) == nil {
		return posted.Metadata.Name
	}
	decoded, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		return "?"
	}
	encoded, err := json.Marshal(decoded)
	if err != nil || json.Unmarshal(encoded, &posted) != nil {
		return "?"
	}
	return posted.Metadata.Name
}

// has is what the API server did since the proxy was armed.
func (p *sweepProxy) has() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.written...)
}
