package lookup

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"
	kubernetes "k8s.io/apiserver/pkg/endpoints/request"
)

// parser reads paths as the API server does.
var parser = kubernetes.RequestInfoFactory{APIPrefixes: sets.NewString("api", "apis"), GrouplessAPIPrefixes: sets.NewString("api")}

// discoveryPaths say what the API server offers. They hold no objects.
var discoveryPaths = []string{"/version", "/api", "/api/*", "/apis", "/apis/*", "/apis/*/*",
	"/openapi/v2", "/openapi/v3", "/openapi/v3/api/*", "/openapi/v3/apis/*", "/openapi/v3/apis/*/*"}

// parameters are what a query may name. A watch is refused because its answer does not end, and selectors because the agent does not
// mask Secrets that were selected in some ways.
var parameters = []string{"continue", "hash", "limit", "resourceVersion", "resourceVersionMatch", "timeout"}

// Check refuses every request that does not read one object, list objects, or ask what the API server offers. base is the path of the
// API server's URL.
func Check(request *http.Request, base string) error {
	_, err := parse(request, base)
	return err
}

// parse is a permitted request as the API server understands it.
func parse(request *http.Request, base string) (*kubernetes.RequestInfo, error) {
	refused := func(why string) (*kubernetes.RequestInfo, error) {
		return nil, fmt.Errorf("charts may only read objects of the cluster: %s %s is refused: %s", request.Method, request.URL.EscapedPath(), why)
	}
	if request.Method != http.MethodGet {
		return refused("it is not a GET")
	}
	at, below := strings.CutPrefix(request.URL.Path, strings.TrimSuffix(base, "/"))
	if !below || !strings.HasPrefix(at, "/") || path.Clean(at) != at || request.URL.EscapedPath() != request.URL.Path {
		return refused("the path is not written in the usual way")
	}
	query, err := url.ParseQuery(request.URL.RawQuery)
	if err != nil {
		return refused("the query cannot be read")
	}
	for name := range query {
		if !slices.Contains(parameters, name) {
			return refused(fmt.Sprintf("the query may not name %q", name))
		}
	}
	info, err := parser.NewRequestInfo(&http.Request{Method: request.Method, URL: &url.URL{Path: at, RawQuery: request.URL.RawQuery}})
	switch {
	case err != nil:
		return refused("the path names no object")
	case !info.IsResourceRequest && !isDiscovery(at):
		return refused("the path names no object")
	case info.IsResourceRequest && info.Verb != "get" && info.Verb != "list":
		return refused("it is a " + info.Verb)
	case info.Subresource != "" || len(info.Parts) > 2:
		return refused("it asks for a part of an object")
	}
	return info, nil
}

func isDiscovery(at string) bool {
	return slices.ContainsFunc(discoveryPaths, func(pattern string) bool {
		matched, err := path.Match(pattern, at)
		return err == nil && matched
	})
}

// isSecrets tells whether the answer is a Secret or a list of them.
func isSecrets(info *kubernetes.RequestInfo) bool {
	return info.IsResourceRequest && info.APIGroup == "" && info.Resource == "secrets"
}
