package kube

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
)

// secretsPath is where the API server has Secrets, one or all of a namespace, with the name if it is one.
var secretsPath = regexp.MustCompile(`/api/v1/(?:namespaces/[^/]+/)?secrets(?:/([^/]+))?$`)

// observeSecrets tells what Secrets the API server answers with, whoever asked: a template that looks one up, or Helm before it
// writes. Helm's own records are left out, and so are lists of what drift compares, of which only few are looked at.
func observeSecrets(observe func(object map[string]any)) transport.WrapperFunc {
	return func(next http.RoundTripper) http.RoundTripper { return secretObserver{observe, next} }
}

type secretObserver struct {
	observe func(object map[string]any)
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (h secretObserver) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := h.next.RoundTrip(request)
	if err != nil || !answersSecrets(request, response) {
		return response, err
	}
	content, err := io.ReadAll(response.Body)
	if err := response.Body.Close(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(content))
	var object map[string]any
	if err := json.Unmarshal(content, &object); err == nil { // whoever asked will say what is wrong with it
		h.observe(object)
	}
	return response, nil
}

func answersSecrets(request *http.Request, response *http.Response) bool {
	path := secretsPath.FindStringSubmatch(request.URL.Path)
	query := request.URL.Query()
	return path != nil && response.StatusCode < http.StatusMultipleChoices &&
		strings.Contains(response.Header.Get("Content-Type"), "json") &&
		!strings.HasPrefix(path[1], recordPrefix) && query.Get("watch") == "" &&
		query.Get("fieldSelector") != NoHelmRecords && !strings.Contains(query.Get("labelSelector"), "owner=helm")
}

// heed tells of a listed object, if it is a Secret.
func (c *Connection) ObserveSecret(at ResourceScope, object *unstructured.Unstructured) {
	if at.Resource == "secrets" && at.Group == "" {
		c.Options.Secret(object.Object)
	}
}

const recordPrefix = "sh.helm.release."

// credentials are what the agent shows to the API server.
func credentials(config *rest.Config) []string {
	found := []string{config.BearerToken, config.Password, string(config.KeyData)}
	for _, file := range []string{config.BearerTokenFile, config.KeyFile} {
		if content, err := os.ReadFile(file); err == nil { // no file is no credential
			found = append(found, string(content))
		}
	}
	return found
}

// NoHelmRecords is the field selector of Secrets that are not Helm's records.
const NoHelmRecords = "type!=helm.sh/release.v1"
