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

// Proxy is an HTTP proxy on the loopback interface, through which a confined process reaches the hosts that the list names, and no
// others. It resolves the names, so the process needs no DNS.
type Proxy struct {
	server   *http.Server
	listener net.Listener
}

// NewProxy listens and serves until it is closed. refused is told of every host that is not on the list.
func (p Policy) NewProxy(refused func(host string)) (*Proxy, error) {
	return p.newProxy(http.DefaultTransport.(*http.Transport), refused)
}

// newProxy connects to hosts through the proxy of base, if there is one.
func (p Policy) newProxy(base *http.Transport, refused func(host string)) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the loader: %w", err)
	}
	proxy := goproxy.NewProxyHttpServer()
	proxy.Logger = quiet{}
	proxy.Tr = p.Transport(base)
	proxy.ConnectDial = nil // goproxy makes one of HTTPS_PROXY, which checks no address
	proxy.ConnectDialWithReq = func(request *http.Request, network, address string) (net.Conn, error) {
		return p.connect(request.Context(), base, network, address)
	}
	proxy.OnRequest().HandleConnectFunc(func(host string, ctx *goproxy.ProxyCtx) (*goproxy.ConnectAction, string) {
		if !p.PermitsHost(host) {
			refused(host)
			ctx.Resp = refusal(ctx.Req, host)
			return goproxy.RejectConnect, host
		}
		return goproxy.OkConnect, host
	})
	proxy.OnRequest().DoFunc(func(request *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		if request.URL.Scheme != "http" {
			return request, goproxy.NewResponse(request, goproxy.ContentTypeText, http.StatusBadRequest, "this proxy takes http:// URLs: use CONNECT for others")
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

// Port is where the proxy listens.
func (p *Proxy) Port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// Close ends all connections.
func (p *Proxy) Close() error { return p.server.Close() }

// refusal says why in the status, because that is all of an answer that a client of CONNECT shows.
func refusal(request *http.Request, host string) *http.Response {
	said := Refusal(host)
	response := goproxy.NewResponse(request, goproxy.ContentTypeText, http.StatusForbidden, said)
	response.Status = "403 " + said
	return response
}

// Refusal is what the user is told of a host that is not on the list.
func Refusal(host string) string {
	return fmt.Sprintf("the repository may not make the agent reach %s: if it may, add it to the setting allowRemote", strings.TrimSpace(host))
}

// quiet drops what goproxy would log: refused hosts are told to the caller.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

var _ io.Closer = (*Proxy)(nil)
