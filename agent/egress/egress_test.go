package egress

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

func policy(t *testing.T, entries ...string) Policy {
	t.Helper()
	p, err := Parse(entries)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParseRefuses(t *testing.T) {
	for _, entry := range []string{"", "https://example.com", "a b", "example.com/path", "*.", "a*b.com", "example.com:0",
		"example.com:http", "10.0.0.0/33", "127.1", "0x7f000001", "2130706433", strings.Repeat("a.", 130) + "com"} {
		if _, err := Parse([]string{entry}); err == nil || !strings.Contains(err.Error(), "allowRemote") {
			t.Errorf("%q: got %v", entry, err)
		}
	}
}

func TestPermitsHost(t *testing.T) {
	p := policy(t, "Git.example.com", "cache.example.com:8443", "*.corp.example", "10.1.0.0/16", "192.0.2.7", "2001:db8::1", "[2001:db8::2]:443", "1password.com")
	for host, want := range map[string]bool{
		"git.example.com": true, "GIT.example.com.:443": true, "x.git.example.com": false, "example.com": false,
		"cache.example.com:8443": true, "cache.example.com:443": false, "cache.example.com": false,
		"a.corp.example": true, "a.b.corp.example:1": true, "corp.example": false, "evilcorp.example": false,
		"10.1.2.3": true, "10.2.2.3": false, "192.0.2.7:80": true, "192.0.2.8": false,
		"[2001:db8::1]:443": true, "2001:db8::1": true, "[2001:db8::2]:443": true, "[2001:db8::2]:80": false,
		"::ffff:10.1.2.3": true, "1password.com": true,
	} {
		if got := p.PermitsHost(host); got != want {
			t.Errorf("%s: got %v", host, got)
		}
	}
	if !policy(t, "*").PermitsHost("anything.example:1") || (Policy{}).PermitsHost("example.com") {
		t.Error("want: * permits every host, and an empty list permits none")
	}
}

func TestSpecialAddresses(t *testing.T) {
	for text, kind := range map[string]string{
		"127.0.0.1": "loopback", "127.9.9.9": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback", "64:ff9b::7f00:1": "loopback",
		"169.254.169.254": "link-local", "fe80::1": "link-local", "::ffff:169.254.169.254": "link-local", "64:ff9b::a9fe:a9fe": "link-local",
		"0.0.0.0": "unspecified", "::": "unspecified", "224.0.0.1": "multicast", "ff02::1": "multicast", "255.255.255.255": "multicast",
		"fd00:ec2::254": metadata, "fd00:ec2::23": metadata, "fd20:ce::254": metadata, "fd20:ce::253": "", "100.100.100.200": metadata, "100.100.100.201": "",
		"168.63.129.16": metadata, "192.0.0.192": metadata, "fd00:c1::a9fe:a9fe": metadata, "fd00:a9fe:a9fe::1": metadata, "fd00:42::42": metadata,
		"fd00:100::100:200": metadata, "::ffff:100.100.100.200": metadata, "64:ff9b::a83f:8110": metadata, "fd00:ec2::254%eth0": metadata,
		"10.0.0.1": "", "192.168.1.1": "", "8.8.8.8": "", "2001:db8::1": "", "64:ff9b::808:808": "",
	} {
		if got := addressKind(netip.MustParseAddr(text)); got != kind {
			t.Errorf("%s: got %q, want %q", text, got, kind)
		}
	}
}

func TestDialRefusesUnlessListed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for name, test := range map[string]struct {
		allowed []string
		host    string
		refused bool
	}{
		"an empty list":                      {nil, "127.0.0.1", true},
		"* and loopback":                     {[]string{"*"}, "127.0.0.1", true},
		"a resolved name":                    {[]string{"*"}, "localhost", true},
		"an IPv4-mapped address":             {[]string{"*"}, "::ffff:127.0.0.1", true},
		"unspecified":                        {[]string{"*"}, "0.0.0.0", true},
		"another port":                       {[]string{"127.0.0.1:1"}, "127.0.0.1", true},
		"the name is listed":                 {[]string{"localhost"}, "localhost", false},
		"the IP is listed":                   {[]string{"127.0.0.1"}, "127.0.0.1", false},
		"the IP of the name is listed":       {[]string{"127.0.0.1", "::1"}, "localhost", false},
		"a CIDR contains it":                 {[]string{"127.0.0.0/8"}, "127.0.0.1", false},
		"listed with its port":               {[]string{"127.0.0.1:" + port}, "127.0.0.1", false},
		"a mapped address, the IP is listed": {[]string{"127.0.0.1"}, "::ffff:127.0.0.1", false},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := policy(t, test.allowed...).DialContext(t.Context(), "tcp", net.JoinHostPort(test.host, port))
			if err == nil {
				conn.Close()
			}
			if (err != nil) != test.refused {
				t.Fatalf("got %v", err)
			}
			if test.refused && (!strings.Contains(err.Error(), "allowRemote") || !strings.Contains(err.Error(), test.host)) {
				t.Errorf("the error does not say what to do: %v", err)
			}
		})
	}
}

func TestAMetadataServerIsRefusedBeforeTheConnection(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := policy(t, "*").DialContext(ctx, "tcp", "169.254.169.254:80")
	if err == nil || !strings.Contains(err.Error(), "link-local address 169.254.169.254") {
		t.Errorf("got %v", err)
	}
}

func TestAMetadataServerNeedsAnEntryWithItsAddress(t *testing.T) {
	server, name := netip.MustParseAddr("100.100.100.200"), "metadata.example"
	for entry, permitted := range map[string]bool{
		"*": false, "metadata.example": false, "*.example": false, "100.64.0.0/10": false, "100.100.100.200:443": false, "100.100.100.201": false,
		"100.100.100.200": true, "100.100.100.200:80": true, "100.100.100.200/32": true, "::ffff:100.100.100.200": true,
	} {
		for _, host := range []string{name, server.String()} {
			err := policy(t, entry).check(host, server, "80")
			if (err == nil) != permitted {
				t.Errorf("%s for %s: got %v", entry, host, err)
			}
			if err != nil && !strings.Contains(err.Error(), "add 100.100.100.200 to the setting allowRemote") {
				t.Errorf("the error does not say what to do: %v", err)
			}
		}
	}
}

func client(p Policy, proxy func(*http.Request) (*url.URL, error)) *http.Client {
	return &http.Client{Transport: p.Transport(&http.Transport{Proxy: proxy}), CheckRedirect: CheckRedirect}
}

func TestTheOperatorsProxyIsPermittedAndItsTargetsAreChecked(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "proxied "+r.URL.Host) }))
	defer proxy.Close()
	at, _ := url.Parse(proxy.URL)
	c := client(policy(t, "*"), http.ProxyURL(at))
	response, err := c.Get("http://charts.example/index.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); string(body) != "proxied charts.example" {
		t.Errorf("got %q", body)
	}
	for _, target := range []string{"http://127.0.0.1/", "http://localhost:8080/", "http://169.254.169.254/latest", "http://[::1]/",
		"http://100.100.100.200/", "http://[fd00:ec2::254]/",
		"http://[::ffff:7f00:1]/", "http://2130706433/", "http://127.1/", "http://0x7f.1/"} {
		if response, err := c.Get(target); err == nil {
			response.Body.Close()
			t.Errorf("the proxy got a request for %s", target)
		}
	}
}

func TestRedirects(t *testing.T) {
	var got http.Header
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Clone() }))
	defer other.Close()
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/other": // the same IP, another port
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/same":
			http.Redirect(w, r, "/end", http.StatusFound)
		default:
			got = r.Header.Clone()
		}
	}))
	defer first.Close()
	c := client(policy(t, "127.0.0.1"), nil)
	get := func(path string) error {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, first.URL+path, nil)
		request.SetBasicAuth("u", "s3cret")
		request.Header.Set("Cookie", "session=s3cret")
		response, err := c.Do(request)
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	if err := get("/other"); err != nil || got.Get("Authorization") != "" || got.Get("Cookie") != "" {
		t.Errorf("another port got %v, %v", got, err)
	}
	if err := get("/same"); err != nil || got.Get("Authorization") == "" || got.Get("Cookie") == "" {
		t.Errorf("the same host got %v, %v", got, err)
	}
	if err := get("/loop"); err == nil || !strings.Contains(err.Error(), "more than 10 redirects") {
		t.Errorf("got %v", err)
	}
}

func TestRedirectsFromHTTPSToHTTPAreRefused(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server got a request") }))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer secure.Close()
	c := secure.Client()
	c.CheckRedirect = CheckRedirect
	response, err := c.Get(secure.URL)
	var failed *url.Error
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "from https to http") {
		t.Errorf("got %v", err)
	}
	if response != nil {
		response.Body.Close()
	}
}
