package egress

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// clientOfProxy is a client of a proxy with the policy. refused returns the hosts that the proxy refused.
func clientOfProxy(t *testing.T, p Policy) (client *http.Client, refused func() []string) {
	t.Helper()
	var mu sync.Mutex
	var hosts []string
	proxy, err := p.NewProxy(func(host string) {
		mu.Lock()
		defer mu.Unlock()
		hosts = append(hosts, host)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	at := &url.URL{Scheme: "http", Host: proxy.listener.Addr().String()}
	transport := &http.Transport{Proxy: http.ProxyURL(at)}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return hosts
	}
}

func TestTheProxyConnectsToListedHostsOnly(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "reached") })
	plain, secure := httptest.NewServer(answer), httptest.NewTLSServer(answer)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	for name, test := range map[string]struct {
		allowed []string
		url     string
		reached bool
		refused string
	}{
		"a listed host":                         {[]string{strings.TrimPrefix(plain.URL, "http://")}, plain.URL, true, ""},
		"a listed host by TLS":                  {[]string{"127.0.0.1"}, secure.URL, true, ""},
		"an empty list":                         {nil, plain.URL, false, strings.TrimPrefix(plain.URL, "http://")},
		"an empty list by TLS":                  {nil, secure.URL, false, strings.TrimPrefix(secure.URL, "https://")},
		"another port":                          {[]string{"127.0.0.1:1"}, plain.URL, false, strings.TrimPrefix(plain.URL, "http://")},
		"* does not permit loopback":            {[]string{"*"}, plain.URL, false, ""},
		"* does not permit the metadata server": {[]string{"*"}, "http://169.254.169.254/latest", false, ""},
		"* does not permit a name of loopback":  {[]string{"*"}, strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse(test.allowed)
			if err != nil {
				t.Fatal(err)
			}
			client, refused := clientOfProxy(t, p)
			client.Transport.(*http.Transport).TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			response, err := client.Get(test.url)
			body := ""
			if err == nil {
				content, _ := io.ReadAll(response.Body)
				_ = response.Body.Close()
				body = string(content)
			}
			if reached := err == nil && response.StatusCode == 200 && body == "reached"; reached != test.reached {
				t.Errorf("reached is %t: %v %q", reached, err, body)
			}
			if got := strings.Join(refused(), ","); got != test.refused {
				t.Errorf("refused %q, want %q", got, test.refused)
			}
			if test.refused != "" && err != nil && !strings.Contains(err.Error(), "allowRemote") {
				t.Errorf("the client does not get the reason: %v", err)
			}
		})
	}
}

// upstream is the operator's proxy. It answers all requests itself, and records them.
func upstream(t *testing.T) (server *httptest.Server, tunnels *[]string) {
	t.Helper()
	var mu sync.Mutex
	tunnels = &[]string{}
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		*tunnels = append(*tunnels, r.Host+" "+r.Header.Get("Proxy-Authorization"))
		mu.Unlock()
		conn, out, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = out.WriteString("HTTP/1.1 200 OK\r\n\r\nhello from " + r.Host) // the content arrives in the same packet as the answer
		_ = out.Flush()
	}))
	t.Cleanup(server.Close)
	return server, tunnels
}

// tunnelTo sends CONNECT to a proxy with the policy, and returns the status and the content of the tunnel.
func tunnelTo(t *testing.T, p Policy, base *http.Transport, address string) (status int, content string) {
	t.Helper()
	proxy, err := p.newProxy(base, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	conn, err := net.Dial("tcp", proxy.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(conn, "CONNECT "+address+" HTTP/1.1\r\nHost: "+address+"\r\n\r\n")
	in := bufio.NewReader(conn)
	response, err := http.ReadResponse(in, &http.Request{Method: http.MethodConnect}) //nolint:bodyclose // its body is the tunnel, which ends with the connection
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode == http.StatusOK {
		_ = conn.(*net.TCPConn).CloseWrite()
		after, _ := io.ReadAll(in)
		return response.StatusCode, string(after)
	}
	return response.StatusCode, ""
}

// TestTunnelsThroughAnotherProxyAreChecked: the operator's proxy gets requests only for permitted hosts, never for loopback addresses.
func TestTunnelsThroughAnotherProxyAreChecked(t *testing.T) {
	for address, want := range map[string]string{
		"charts.example:443":  "charts.example:443 Basic dTpz",
		"169.254.169.254:80":  "",
		"127.0.0.1:6443":      "",
		"localhost:6443":      "",
		"[::1]:6443":          "",
		"2130706433:80":       "",
		"100.100.100.200:80":  "",
		"[fd00:ec2::254]:443": "",
	} {
		server, tunnels := upstream(t)
		at, _ := url.Parse(strings.Replace(server.URL, "http://", "http://u:s@", 1))
		status, content := tunnelTo(t, policy(t, "*"), &http.Transport{Proxy: http.ProxyURL(at)}, address)
		if got := strings.Join(*tunnels, ","); got != want {
			t.Errorf("%s: the proxy got requests for %q", address, got)
		}
		if want != "" && (status != http.StatusOK || content != "hello from "+address) {
			t.Errorf("%s: got %d %q", address, status, content)
		}
		if want == "" && status == http.StatusOK {
			t.Errorf("%s was reached", address)
		}
	}
}

// TestHTTPSProxyDoesNotBypassThePolicy: goproxy reads HTTPS_PROXY when a proxy is made.
func TestHTTPSProxyDoesNotBypassThePolicy(t *testing.T) {
	server, tunnels := upstream(t)
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		t.Setenv(name, server.URL)
	}
	direct, _ := upstream(t)
	address := strings.TrimPrefix(direct.URL, "http://")
	if status, _ := tunnelTo(t, policy(t, "*"), &http.Transport{}, address); status == http.StatusOK {
		t.Error("* reached a loopback address")
	}
	noProxy := func(*http.Request) (*url.URL, error) { return nil, nil } // as with NO_PROXY
	if status, _ := tunnelTo(t, policy(t, address), &http.Transport{Proxy: noProxy}, address); status != http.StatusOK {
		t.Errorf("a listed address was not reached directly: %d", status)
	}
	if len(*tunnels) > 0 {
		t.Errorf("the proxy got requests for %q", *tunnels)
	}
}

func TestOnlyPlainHTTPWithoutTunnel(t *testing.T) {
	proxy, err := policy(t, "charts.example:80").NewProxy(func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = proxy.Close() }()
	for _, target := range []string{"https://charts.example/", "https://charts.example:80/", "ftp://charts.example:80/", "ws://charts.example/"} {
		conn, err := net.Dial("tcp", proxy.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: charts.example\r\nConnection: close\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", target, err)
			_ = conn.Close()
			continue
		}
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: got %v", target, response)
		}
		_ = response.Body.Close()
		_ = conn.Close()
	}
}

func TestLoopbackPorts(t *testing.T) {
	p, err := Parse([]string{"127.0.0.1:8200", "localhost:8201", "[::1]:8202", "127.0.0.1", "example.com:443", "127.0.0.1:8200", "*"})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.LoopbackPorts(); len(got) != 3 || got[0] != 8200 || got[1] != 8201 || got[2] != 8202 {
		t.Errorf("got %v", got)
	}
}
