package egress

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// through is a client of a proxy with the policy, and what the proxy refused.
func through(t *testing.T, p Policy) (client *http.Client, refused func() []string) {
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

func TestProxyReachesListedHostsOnly(t *testing.T) {
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
		"a listed host":                  {[]string{strings.TrimPrefix(plain.URL, "http://")}, plain.URL, true, ""},
		"a listed host by TLS":           {[]string{"127.0.0.1"}, secure.URL, true, ""},
		"an empty list":                  {nil, plain.URL, false, strings.TrimPrefix(plain.URL, "http://")},
		"an empty list by TLS":           {nil, secure.URL, false, strings.TrimPrefix(secure.URL, "https://")},
		"another port":                   {[]string{"127.0.0.1:1"}, plain.URL, false, strings.TrimPrefix(plain.URL, "http://")},
		"any host is not this machine":   {[]string{"*"}, plain.URL, false, ""},
		"nor the metadata server":        {[]string{"*"}, "http://169.254.169.254/latest", false, ""},
		"nor a name that resolves to it": {[]string{"*"}, strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse(test.allowed)
			if err != nil {
				t.Fatal(err)
			}
			client, refused := through(t, p)
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
				t.Errorf("the client is not told why: %v", err)
			}
		})
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
