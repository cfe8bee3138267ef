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

// parser parses paths as the API server does.
var parser = kubernetes.RequestInfoFactory{APIPrefixes: sets.NewString("api", "apis"), GrouplessAPIPrefixes: sets.NewString("api")}

// discoveryPaths are the paths that describe the APIs of the API server. They contain no objects.
var discoveryPaths = []string{"/version", "/api", "/api/*", "/apis", "/apis/*", "/apis/*/*",
	"/openapi/v2", "/openapi/v3", "/openapi/v3/api/*", "/openapi/v3/apis/*", "/openapi/v3/apis/*/*"}

// parameters are the permitted parameters of a query. A watch is refused because its answer does not end. Selectors are refused because
// the agent does not mask Secrets in all answers to them.
var parameters = []string{"continue", "hash", "limit", "resourceVersion", "resourceVersionMatch", "timeout"}

// Check permits a request only if it gets an object, lists objects, or asks which APIs the API server has. base is the path in the URL of
// the API server.
func Check(request *http.Request, base string) error {
	_, err := parse(request, base)
	return err
}

// parse returns a permitted request as the API server understands it.
func parse(request *http.Request, base string) (*kubernetes.RequestInfo, error) {
	refused := func(reason string) (*kubernetes.RequestInfo, error) {
		return nil, fmt.Errorf("charts may only read objects of the cluster: the agent refuses %s %s: %s", request.Method, request.URL.EscapedPath(), reason)
	}
	if request.Method != http.MethodGet {
		return refused("the method is not GET")
	}
	at, found := strings.CutPrefix(request.URL.Path, strings.TrimSuffix(base, "/"))
	if !found || !strings.HasPrefix(at, "/") || path.Clean(at) != at || request.URL.EscapedPath() != request.URL.Path {
		return refused("the path is not in its shortest form")
	}
	query, err := url.ParseQuery(request.URL.RawQuery)
	if err != nil {
		return refused("the query is not valid")
	}
	for name := range query {
		if !slices.Contains(parameters, name) {
			return refused(fmt.Sprintf("the query parameter %q is not permitted", name))
		}
	}
	info, err := parser.NewRequestInfo(&http.Request{Method: request.Method, URL: &url.URL{Path: at, RawQuery: request.URL.RawQuery}})
	switch {
	case err != nil:
		return refused("the path is not the path of an object")
	case !info.IsResourceRequest && !isDiscovery(at):
		return refused("the path is not the path of an object")
	case info.IsResourceRequest && info.Verb != "get" && info.Verb != "list":
		return refused("the verb " + info.Verb + " is not permitted")
	case info.Subresource != "" || len(info.Parts) > 2:
		return refused("subresources are not permitted")
	}
	return info, nil
}

func isDiscovery(at string) bool {
	return slices.ContainsFunc(discoveryPaths, func(pattern string) bool {
		matched, err := path.Match(pattern, at)
		return err == nil && matched
	})
}

// isSecrets says whether the answer is a Secret or a list of Secrets.
func isSecrets(info *kubernetes.RequestInfo) bool {
	return info.IsResourceRequest && info.APIGroup == "" && info.Resource == "secrets"
}
