package servers

import (
	"crypto/subtle"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/helmfile-agent/helmfile-agent/e2e/servers/authority"
)

// Options says how the clients of an HTTP server reach it. The zero value is plain HTTP, open to all.
type Options struct {
	Username string // with Password, required of every request; both empty ask for nothing
	Password string
	TLS      bool   // serve HTTPS with a certificate of the server's own authority
	Address  net.IP // of this machine, to listen on; loopback if nil
}

var loopback = net.IPv4(127, 0, 0, 1)

func listen(address net.IP) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort(address.String(), "0"))
}

// HTTP is a web server on a port of its own.
type HTTP struct {
	URL string // such as http://127.0.0.1:port, without a slash at the end
	CA  []byte // PEM of the authority that clients must trust; nil without TLS
	record
	server *httptest.Server
}

func newHTTP(opts Options, handler http.Handler) (*HTTP, error) {
	s := &HTTP{}
	if opts.Address == nil {
		opts.Address = loopback
	}
	listener, err := listen(opts.Address)
	if err != nil {
		return nil, err
	}
	s.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: s.admit(opts, handler)}}
	// A client that distrusts the certificate is what some tests are about, not a line in their output.
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if !opts.TLS {
		s.server.Start()
		s.URL = s.server.URL
		return s, nil
	}
	own, err := authority.New()
	if err == nil {
		s.server.TLS, err = own.ServerConfig(opts.Address)
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	s.CA = own.PEM
	s.server.StartTLS()
	s.URL = s.server.URL
	return s, nil
}

// Close ends the server when the requests under way are answered.
func (s *HTTP) Close() {
	s.server.Close()
}

// Host is the server's address without the scheme, 127.0.0.1:port.
func (s *HTTP) Host() string {
	return s.server.Listener.Addr().String()
}

// Client is an HTTP client that trusts the server.
func (s *HTTP) Client() *http.Client {
	return s.server.Client()
}

// admit lets requests with the right credentials through. It notes each request before it is handled: who has an answer
// finds its request in the list.
func (s *HTTP) admit(opts Options, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := r.Method + " " + r.URL.Path
		if !opts.admits(r) {
			s.add(request + refused)
			w.Header().Set("WWW-Authenticate", `Basic realm="e2e"`)
			http.Error(w, "wrong username or password", http.StatusUnauthorized)
			return
		}
		s.add(request)
		next.ServeHTTP(w, r)
	})
}

func (o Options) admits(r *http.Request) bool {
	if o.Username == "" && o.Password == "" {
		return true
	}
	username, password, _ := r.BasicAuth()
	return equal(username, o.Username) && equal(password, o.Password)
}

func equal(got, want string) bool {
	return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}
