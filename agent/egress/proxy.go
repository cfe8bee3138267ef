package egress

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/elazarl/goproxy"
)

// Proxy is an HTTP proxy on the loopback interface. A confined process can connect through it only to the hosts that the policy permits.
// The proxy resolves the names, so the process needs no DNS.
type Proxy struct {
	server   *http.Server
	listener net.Listener
}

// NewProxy starts a proxy, which serves until it is closed. It calls refused with each host that the policy does not permit.
func (p Policy) NewProxy(refused func(host string)) (*Proxy, error) {
	return p.newProxy(http.DefaultTransport.(*http.Transport), refused)
}

// newProxy connects to hosts through the proxy of base, if base has one.
func (p Policy) newProxy(base *http.Transport, refused func(host string)) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the loader: %w", err)
	}
	proxy := goproxy.NewProxyHttpServer()
	proxy.Logger = noLog{}
	proxy.Tr = p.Transport(base)
	proxy.ConnectDial = nil // the default uses HTTPS_PROXY and checks no address
	proxy.ConnectDialWithReq = func(request *http.Request, network, address string) (net.Conn, error) {
		return p.connect(request.Context(), base, network, address)
	}
	proxy.OnRequest().HandleConnectFunc(func(host string, ctx *goproxy.ProxyCtx) (*goproxy.ConnectAction, string) {
		if !p.PermitsHost(host) {
			refused(host)
			ctx.Resp = refusal(ctx.Req, host) //nolint:bodyclose // goproxy closes it
			return goproxy.RejectConnect, host
		}
		return goproxy.OkConnect, host
	})
	proxy.OnRequest().DoFunc(func(request *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		if request.URL.Scheme != "http" {
			return request, goproxy.NewResponse(request, goproxy.ContentTypeText, http.StatusBadRequest, "this proxy accepts only http:// URLs: use CONNECT for others")
		}
		if host := hostPort(request.URL); !p.PermitsHost(host) {
			refused(host)
			return request, refusal(request, host)
		}
		return request, nil
	})
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: 30 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = server.Serve(listener) }() // it ends with ErrServerClosed
	return &Proxy{server: server, listener: listener}, nil
}

// Port is the port that the proxy listens on.
func (p *Proxy) Port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// Close stops the proxy and closes all connections.
func (p *Proxy) Close() error { return p.server.Close() }

// refusal has the reason in the status line, because clients show only the status line of an answer to CONNECT.
func refusal(request *http.Request, host string) *http.Response {
	reason := Refusal(host)
	response := goproxy.NewResponse(request, goproxy.ContentTypeText, http.StatusForbidden, reason)
	response.Status = "403 " + reason
	return response
}

// Refusal is the message for a host that the policy does not permit.
func Refusal(host string) string {
	return fmt.Sprintf("the repository may not make the agent connect to %s: to allow it, add it to the setting allowRemote", strings.TrimSpace(host))
}

// noLog discards the log of goproxy, because refused reports the refused hosts.
type noLog struct{}

func (noLog) Printf(string, ...any) {}

var _ io.Closer = (*Proxy)(nil)
