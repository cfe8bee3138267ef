package kube

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"

	"k8s.io/client-go/rest"

	"github.com/helmfile-agent/helmfile-agent/agent/lookup"
)

// ReadProxy answers requests to read as the API server does, with the agent's identity and without what charts must not see: the
// processes that render charts have no identity of their own. [lookup.Check] says what is refused.
func (c *Connection) ReadProxy() (http.Handler, error) {
	transport, err := rest.TransportFor(c.Config)
	if err != nil {
		return nil, fmt.Errorf("prepare access to the cluster: %w", err)
	}
	server, hidden, err := c.serverAndHidden()
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(server)
			p.Out.Header = http.Header{} // the transport adds the agent's identity, and nothing of the client's counts
		},
		Transport: hidden.Transport(transport),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // an answer that is cut off is an error of the client
	}
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if err := lookup.Check(request, ""); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		proxy.ServeHTTP(w, request)
	}), nil
}

// serverAndHidden is where the API server is, and what charts must not see of it.
func (c *Connection) serverAndHidden() (*url.URL, lookup.Hidden, error) {
	server, _, err := rest.DefaultServerUrlFor(c.Config)
	if err != nil {
		return nil, lookup.Hidden{}, fmt.Errorf("prepare access to the cluster: %w", err)
	}
	return server, lookup.Hidden{Namespace: c.Namespace, Names: c.Options.OwnSecrets, Base: server.Path}, nil
}
