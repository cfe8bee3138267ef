package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
)

// secretsPath is where the API server has Secrets, one or all of a namespace, with the name if it is one.
var secretsPath = regexp.MustCompile(`/api/v1/(?:namespaces/[^/]+/)?secrets(?:/([^/]+))?$`)

// ObserveFunc gets every Secret before templates and Helm do. If it returns an error, they do not get the Secret.
type ObserveFunc func(object map[string]any) error

// observeSecrets passes on the Secrets in the API server's answers, whichever part of the agent sent the request: a template that looks
// one up, or Helm before it writes. It leaves out Helm's own records, and lists that drift compares, of which few Secrets are needed.
func observeSecrets(observe ObserveFunc) transport.WrapperFunc {
	return func(next http.RoundTripper) http.RoundTripper { return secretObserver{observe, next} }
}

type secretObserver struct {
	observe ObserveFunc
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
	if err := json.Unmarshal(content, &object); err == nil { // the caller reports what is wrong with it
		if object = withoutRecords(object); object == nil {
			return response, nil
		}
		if err := h.observe(object); err != nil {
			return nil, fmt.Errorf("read Secrets: %w", err)
		}
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

// withoutRecords removes Helm's records from an answer; nil if the answer is a record. Records are large, and templates do not see them
// (see package lookup). The agent learns the secrets in a record from its manifest.
func withoutRecords(object map[string]any) map[string]any {
	if object["type"] == recordType {
		return nil
	}
	items, isList := object["items"].([]any)
	if !isList {
		return object
	}
	list := maps.Clone(object)
	list["items"] = slices.DeleteFunc(slices.Clone(items), func(item any) bool {
		secret, _ := item.(map[string]any)
		return secret["type"] == recordType
	})
	return list
}

const recordType = "helm.sh/release.v1"

// ObserveSecret passes a listed object to Options.Secret, if it is a Secret.
func (c *Connection) ObserveSecret(at ResourceScope, object *unstructured.Unstructured) error {
	if at.Resource == "secrets" && at.Group == "" {
		return c.Options.Secret(object.Object)
	}
	return nil
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
const NoHelmRecords = "type!=" + recordType
