package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	dialTimeout  = 30 * time.Second
	maxRedirects = 10
)

// DialContext connects like net.Dialer. It checks each resolved address immediately before it connects to it. So a name cannot resolve to
// one address for the check and to another one for the connection.
func (p Policy) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	t := targetOf(address)
	dialer := net.Dialer{Timeout: dialTimeout, ControlContext: func(_ context.Context, _, resolved string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return fmt.Errorf("%s resolves to %q, which is not an address: %w", t.host, resolved, err)
		}
		return p.check(t.host, at.Addr(), t.port)
	}}
	return dialer.DialContext(ctx, network, address)
}

// Transport is a copy of base that connects only to addresses that the policy permits. If base uses a proxy, the proxy may have any
// address, because the operator chose it. The proxy resolves the names of its targets, so the agent can check only IP addresses and
// localhost in them.
func (p Policy) Transport(base *http.Transport) *http.Transport {
	return TransportOf(base, func(context.Context) Policy { return p })
}

// TransportOf is like [Policy.Transport], but takes the policy of each request from the context of the request.
func TransportOf(base *http.Transport, policy func(context.Context) Policy) *http.Transport {
	t := base.Clone()
	t.DialTLSContext = nil
	var proxies sync.Map // host:port of the proxies that requests use
	if base.Proxy != nil {
		t.Proxy = func(request *http.Request) (*url.URL, error) {
			proxy, err := base.Proxy(request)
			if err != nil || proxy == nil {
				return nil, err
			}
			proxies.Store(hostPort(proxy), true)
			return proxy, policy(request.Context()).checkLiteral(request.URL)
		}
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if _, ok := proxies.Load(strings.ToLower(address)); ok {
			return (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, address)
		}
		return policy(ctx).DialContext(ctx, network, address)
	}
	return t
}

// checkLiteral checks the host of a URL without resolving it.
func (p Policy) checkLiteral(u *url.URL) error {
	t := targetOf(hostPort(u))
	switch {
	case t.addr.IsValid():
		return p.check(t.host, t.addr, t.port)
	case t.host == "localhost", strings.HasSuffix(t.host, ".localhost"):
		return p.check(t.host, netip.AddrFrom4([4]byte{127, 0, 0, 1}), t.port)
	case endsInNumber(t.host):
		return fmt.Errorf("%s is neither a host name nor an IP address: write the address as 192.0.2.1", t.host)
	}
	return nil
}

// CheckRedirect is for http.Client. It permits 10 redirects, and none from https to http. It removes credentials when the host or the port
// changes. Go's own rule would send them to subdomains and to other ports.
func CheckRedirect(request *http.Request, via []*http.Request) error {
	first, last := via[0].URL, via[len(via)-1].URL
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("more than %d redirects", maxRedirects)
	case last.Scheme == "https" && request.URL.Scheme != "https":
		return errors.New("the server redirects from https to " + request.URL.Scheme + ": " + request.URL.Host)
	}
	if hostPort(first) != hostPort(request.URL) {
		for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie", "Cookie2", "Www-Authenticate", "Referer"} {
			request.Header.Del(name)
		}
	}
	return nil
}

var defaultPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// hostPort is the host of the URL with its port, or with the default port of its scheme.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = defaultPorts[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
