package chart

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestTheWordsOfRefusals fails when ORAS changes the words that hint looks for. docs/error-texts.md lists them. The words of Go's TLS
// and HTTP are tested in TestTLS and TestNoFallBackToPlainHTTP.
func TestTheWordsOfRefusals(t *testing.T) {
	for name, is := range map[string]struct {
		status         int
		challenge      string
		user, password string
	}{
		"no credentials":      {http.StatusUnauthorized, `Basic realm="test"`, "", ""},
		"wrong credentials":   {http.StatusUnauthorized, `Basic realm="test"`, "u", "wrong"},
		"no challenge":        {http.StatusUnauthorized, "", "u", "wrong"},
		"insufficient rights": {http.StatusForbidden, "", "u", "s3cret"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", is.challenge)
				w.WriteHeader(is.status)
			}))
			defer server.Close()
			host := strings.TrimPrefix(server.URL, "http://")
			r := &release.Repository{Name: "reg", URL: host, OCI: true, PlainHTTP: true, Username: is.user, Password: is.password}
			for _, version := range []string{"1.0.0", "^1"} { // asked for, and chosen from a list
				_, err := newStore(t).Load(t.Context(), release.Chart{Ref: "oci://" + host + "/web", Version: version, Repository: r})
				charttest.ExpectError(t, err, "check the user name")
			}
			repository := &release.Repository{Name: "web", URL: server.URL, Username: is.user, Password: is.password}
			_, err := newStore(t).Load(t.Context(), release.Chart{Ref: "web", Repository: repository})
			charttest.ExpectError(t, err, "check the user name")
		})
	}
}
