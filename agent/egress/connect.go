package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// connect connects to an address. If the operator configured a proxy for it, the connection goes through that proxy. The proxy resolves
// the name, so the agent can check only an IP address in the target, not a name.
func (p Policy) connect(ctx context.Context, base *http.Transport, network, address string) (net.Conn, error) {
	target := &url.URL{Scheme: "https", Host: address}
	var upstream *url.URL
	var err error
	if base.Proxy != nil {
		upstream, err = base.Proxy(&http.Request{URL: target})
	}
	if err != nil {
		return nil, fmt.Errorf("find the proxy for %s: %w", address, err)
	}
	if upstream == nil {
		return p.DialContext(ctx, network, address)
	}
	if err := p.checkLiteral(target); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := dialProxy(ctx, base, upstream)
	if err != nil {
		return nil, fmt.Errorf("connect to the proxy %s: %w", upstream.Host, err)
	}
	tunnel, err := openTunnel(ctx, conn, upstream, address)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("connect to %s through the proxy %s: %w", address, upstream.Host, err)
	}
	return tunnel, nil
}

func dialProxy(ctx context.Context, base *http.Transport, upstream *url.URL) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: dialTimeout}
	switch upstream.Scheme {
	case "http":
		return dialer.DialContext(ctx, "tcp", hostPort(upstream))
	case "https":
		config := base.TLSClientConfig.Clone()
		if config != nil {
			config.NextProtos = nil // the tunnel is HTTP/1
		}
		return (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", hostPort(upstream))
	}
	return nil, fmt.Errorf("a proxy with the scheme %s is not supported here: set HTTPS_PROXY to an http or https URL", upstream.Scheme)
}

// openTunnel sends a CONNECT request to a proxy.
func openTunnel(ctx context.Context, conn net.Conn, upstream *url.URL, address string) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if user := upstream.User; user != nil {
		password, _ := user.Password() // a user without password is allowed
		request.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if err := request.Write(conn); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	response, err := http.ReadResponse(in, request) //nolint:bodyclose // after CONNECT the rest is the tunnel, and the caller closes the connection
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the proxy answers %s", response.Status)
	}
	return tunnel{Conn: conn, in: in}, nil
}

// tunnel first reads the bytes that arrived together with the answer of the proxy.
type tunnel struct {
	net.Conn
	in io.Reader
}

// Read implements net.Conn.
func (t tunnel) Read(p []byte) (int, error) { return t.in.Read(p) }
