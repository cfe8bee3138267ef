package kube

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"

	"github.com/helmfile-agent/helmfile-agent/agent/lookup"
)

// ReadProxy answers GET requests as the API server does, with the agent's identity and without what charts must not see: the processes
// that render charts have no identity of their own. It refuses every other request, and watches.
func (c *Connection) ReadProxy() (http.Handler, error) {
	transport, err := rest.TransportFor(c.Config)
	if err != nil {
		return nil, fmt.Errorf("prepare access to the cluster: %w", err)
	}
	target, _, err := rest.DefaultServerUrlFor(c.Config)
	if err != nil {
		return nil, fmt.Errorf("prepare access to the cluster: %w", err)
	}
	server := &url.URL{Scheme: target.Scheme, Host: target.Host}
	if at, err := url.Parse(c.Config.Host); err == nil {
		server.Path = at.Path
	}
	hidden := lookup.Hidden{Namespace: c.Namespace, Names: c.Options.OwnSecrets}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(server)
			p.Out.Header.Del("Authorization") // the transport adds the agent's own
			p.Out.Header.Del("Accept-Encoding")
			p.Out.Header.Set("Accept", "application/json")
			for name := range p.Out.Header {
				if strings.HasPrefix(name, "Impersonate-") {
					p.Out.Header.Del(name)
				}
			}
		},
		Transport: hidden.Transport(transport),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Method != http.MethodGet || request.URL.Query().Get("watch") != "" {
			http.Error(w, "charts may only read the cluster", http.StatusForbidden)
			return
		}
		proxy.ServeHTTP(w, request)
	}), nil
}
