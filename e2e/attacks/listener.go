package attacks

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
)

// Listener is the attacker's server. Only requests below /charts are expected.
type Listener struct {
	URL      string
	server   *httptest.Server
	archive  []byte
	mu       sync.Mutex
	expected bool // there was a request below /charts
	requests []string
	received strings.Builder
	silent   map[string]bool // connections without a request, such as an attempt to use TLS
}

// NewListener listens on an address of this machine, and serves the archive of the attack.
func NewListener(address net.IP, archive []ArchiveEntry, words *strings.Replacer) (*Listener, error) {
	packed, err := pack(archive, words)
	if err != nil {
		return nil, err
	}
	socket, err := net.Listen("tcp", net.JoinHostPort(address.String(), "0"))
	if err != nil {
		return nil, err
	}
	l := &Listener{archive: packed, silent: map[string]bool{}}
	l.server = &httptest.Server{Listener: socket, Config: &http.Server{Handler: l, ConnState: l.connected, ErrorLog: log.New(io.Discard, "", 0)}}
	l.server.Start()
	l.URL = l.server.URL
	return l, nil
}

// Close ends the server.
func (l *Listener) Close() { l.server.Close() }

// ServeHTTP gives each client a valid answer, so that an attack can continue as far as possible.
func (l *Listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.note(r)
	switch r.URL.Path {
	case "/charts/index.yaml":
		_, _ = io.WriteString(w, "apiVersion: v1\nentries:\n  evil:\n  - {apiVersion: v2, name: evil, version: 1.0.0, urls: [evil-1.0.0.tgz]}\n")
	case "/charts/evil-1.0.0.tgz":
		_, _ = w.Write(l.archive)
	case "/helmfile.yaml", "/base.yaml":
		_, _ = io.WriteString(w, "releases: []\n")
	case "/values.yaml":
		_, _ = io.WriteString(w, "fetched: fetched\n")
	case "/object.yaml":
		_, _ = io.WriteString(w, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fetched}\n")
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"auth": {"client_token": "fetched"}, "data": {"key": "fetched", "data": {"key": "fetched"}}}`)
	}
}

func (l *Listener) connected(c net.Conn, state http.ConnState) {
	if state == http.StateNew {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.silent[c.RemoteAddr().String()] = true
	}
}

func (l *Listener) note(r *http.Request) {
	text, _ := httputil.DumpRequest(r, true) // the part that was received
	l.mu.Lock()
	defer l.mu.Unlock()
	l.received.Write(text)
	delete(l.silent, r.RemoteAddr)
	if strings.HasPrefix(r.URL.Path, "/charts/") {
		l.expected = true
	} else {
		l.requests = append(l.requests, r.Method+" "+r.URL.String())
	}
}

// Hits returns unexpected requests and connections. Go's client may open one connection more than it needs, so such a connection after an
// expected request is not a finding.
func (l *Listener) Hits() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Clone(l.requests)
	if l.expected {
		return all
	}
	for range l.silent {
		all = append(all, "a connection without a request")
	}
	return all
}

// Received is every request, with its headers and body.
func (l *Listener) Received() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.received.String()
}
