package lookup

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestPermittedPaths(t *testing.T) {
	for target, want := range map[string]bool{
		"/api/v1/namespaces/shop/secrets/keys":                         true,
		"/api/v1/namespaces/shop/secrets":                              true,
		"/api/v1/secrets":                                              true,
		"/api/v1/secrets?limit=5&continue=x":                           true,
		"/api/v1/namespaces/shop":                                      true,
		"/api/v1/namespaces/secrets":                                   true,
		"/apis/apps/v1/namespaces/shop/deployments/web":                true,
		"/apis/rbac.authorization.k8s.io/v1/clusterroles/system:admin": true,
		"/api":                                   true,
		"/apis":                                  true,
		"/api/v1":                                true,
		"/apis/apps":                             true,
		"/apis/apps/v1":                          true,
		"/version":                               true,
		"/openapi/v2":                            true,
		"/openapi/v3/apis/apps/v1?hash=AB12":     true,
		"/":                                      false,
		"/metrics":                               false,
		"/healthz":                               false,
		"/debug/pprof/heap":                      false,
		"/logs/kube-apiserver.log":               false,
		"/version/":                              false,
		"/api/v1/namespaces/shop/secrets/keys/":  false,
		"/api/v1/namespaces/shop/secrets/":       false,
		"/api/v1/namespaces/shop//secrets/keys":  false,
		"/api/v1/namespaces/shop/./secrets/keys": false,
		"/api/v1/namespaces/shop/configmaps/../secrets/keys":         false,
		"/api/v1/namespaces/shop/secrets%2Fkeys":                     false,
		"/api/v1/namespaces/shop/%73ecrets/keys":                     false,
		"/api/v1/namespaces/shop/secrets/keys%2F":                    false,
		"/api/v1/namespaces/shop/secrets?watch=":                     false,
		"/api/v1/namespaces/shop/secrets?watch":                      false,
		"/api/v1/namespaces/shop/secrets?watch=0":                    false,
		"/api/v1/namespaces/shop/configmaps?%77atch=true":            false,
		"/api/v1/namespaces/shop/secrets?x=%zz":                      false,
		"/api/v1/namespaces/shop/secrets?a;watch=1":                  false,
		"/api/v1/namespaces/shop/secrets?fieldSelector=type%21%3Dx":  false,
		"/api/v1/namespaces/shop/secrets?labelSelector=owner%3Dhelm": false,
		"/api/v1/watch/namespaces/shop/secrets":                      false,
		"/api/v1/watch/namespaces/shop/secrets/keys":                 false,
		"/api/v1/watch": false,
		"/apis/apps/v1/watch/namespaces/shop/deployments":                false,
		"/api/v1/proxy/namespaces/shop/pods/web":                         false,
		"/api/v1/namespaces/shop/pods/web/exec?limit=1":                  false,
		"/api/v1/namespaces/shop/pods/web/attach":                        false,
		"/api/v1/namespaces/shop/pods/web/portforward":                   false,
		"/api/v1/namespaces/shop/pods/web/log":                           false,
		"/api/v1/namespaces/shop/pods/web/proxy":                         false,
		"/api/v1/namespaces/shop/services/web/proxy/secret":              false,
		"/api/v1/nodes/one/proxy":                                        false,
		"/api/v1/namespaces/shop/status":                                 false,
		"/apis/apps/v1/namespaces/shop/deployments/web/scale":            false,
		"/api/v1/namespaces/shop/secrets/keys/namespaces/shop/configmap": false,
	} {
		for _, base := range []string{"", "/clusters/c"} {
			at, err := url.Parse("https://api" + base + target)
			if err != nil {
				t.Fatal(err)
			}
			if err := Check(&http.Request{Method: http.MethodGet, URL: at}, base); (err == nil) != want {
				t.Errorf("%s%s: got %v", base, target, err)
			}
		}
	}
}

func TestOnlyGetIsPermitted(t *testing.T) {
	for _, method := range []string{http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodConnect, "get"} {
		if err := Check(&http.Request{Method: method, URL: &url.URL{Path: "/api/v1/secrets"}}, ""); err == nil {
			t.Errorf("%s is permitted", method)
		}
	}
}

// TestThePathOfTheServer: an API server behind a proxy has a path. Requests outside of it are refused.
func TestThePathOfTheServer(t *testing.T) {
	for target, want := range map[string]bool{
		"/clusters/c/api/v1/secrets": true, "/api/v1/secrets": false, "/clusters/cc/api/v1/secrets": false, "/clusters/c": false,
	} {
		if err := Check(httptest.NewRequest(http.MethodGet, target, nil), "/clusters/c/"); (err == nil) != want {
			t.Errorf("%s: got %v", target, err)
		}
	}
}
