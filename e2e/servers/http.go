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

// Options are the options of an HTTP server. The zero value is plain HTTP without credentials.
type Options struct {
	Username string // with Password, required for every request; no credentials are required if both are empty
	Password string
	TLS      bool   // serve HTTPS with a certificate of the server's own authority
	Address  net.IP // the address to listen on; loopback if nil
}

var loopback = net.IPv4(127, 0, 0, 1)

func listen(address net.IP) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort(address.String(), "0"))
}

// HTTP is a web server on its own port.
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
	// Some tests have clients that do not trust the certificate. Do not log these errors.
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

// Close stops the server after it has answered the active requests.
func (s *HTTP) Close() {
	s.server.Close()
}

// Host returns the server's address without the scheme, 127.0.0.1:port.
func (s *HTTP) Host() string {
	return s.server.Listener.Addr().String()
}

// Client returns an HTTP client that trusts the server.
func (s *HTTP) Client() *http.Client {
	return s.server.Client()
}

// admit accepts requests with the right credentials. It records each request before it is handled, so that the list contains every
// request that has an answer.
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
