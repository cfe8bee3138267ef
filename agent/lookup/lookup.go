// Package lookup hides from charts those Secrets that the agent may read only for itself: templates ask for objects with the
// function `lookup`, and the API server answers them with the agent's rights.
//
// It may import no other package of the agent.
package lookup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
)

// Hidden says which Secrets templates never see. Tokens of ServiceAccounts and Helm's records are hidden in every namespace.
type Hidden struct {
	Namespace string   // the agent's own
	Names     []string // Secrets in it that the agent's pod uses
}

var hiddenTypes = []string{"kubernetes.io/service-account-token", "helm.sh/release.v1"}

// secretsPath is where the API server has Secrets: one, or all of a namespace or of the cluster.
var secretsPath = regexp.MustCompile(`/api/v1/(?:namespaces/[^/]+/)?secrets(?:/[^/]+)?$`)

// Transport is for the client of `lookup` only: it takes what is hidden out of the API server's answers.
func (h Hidden) Transport(next http.RoundTripper) http.RoundTripper { return hiding{h, next} }

type hiding struct {
	hidden Hidden
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t hiding) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	if err != nil || !secretsPath.MatchString(request.URL.Path) || response.StatusCode >= http.StatusMultipleChoices {
		return response, err
	}
	content, err := io.ReadAll(response.Body)
	if closeErr := response.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	if content, err = t.hidden.filter(content); err != nil {
		return nil, fmt.Errorf("read Secrets for a template: %w", err)
	}
	if content == nil {
		content = notFound
		response.StatusCode, response.Status = http.StatusNotFound, "404 Not Found"
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
	response.Header.Del("Content-Length")
	return response, nil
}

var notFound = []byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"not found","reason":"NotFound","code":404}`)

// secret is as much of a Secret as tells whether it is hidden.
type secret struct {
	Type     string `json:"type"`
	Metadata struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
}

// filter is an answer without what is hidden: nil for a single Secret that is. What it does not understand is an error, because it
// may hold what is hidden.
func (h Hidden) filter(content []byte) ([]byte, error) {
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(content, &answer); err != nil {
		return nil, err
	}
	if _, isList := answer["items"]; !isList {
		hidden, err := h.hides(content)
		if err != nil || hidden {
			return nil, err
		}
		return content, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(answer["items"], &items); err != nil {
		return nil, err
	}
	shown := []json.RawMessage{}
	for _, item := range items {
		hidden, err := h.hides(item)
		if err != nil {
			return nil, err
		}
		if !hidden {
			shown = append(shown, item)
		}
	}
	encoded, err := json.Marshal(shown)
	if err != nil {
		return nil, err
	}
	answer["items"] = encoded
	return json.Marshal(answer)
}

func (h Hidden) hides(content []byte) (bool, error) {
	var s secret
	if err := json.Unmarshal(content, &s); err != nil {
		return false, err
	}
	own := s.Metadata.Namespace == h.Namespace && slices.Contains(h.Names, s.Metadata.Name)
	return own || slices.Contains(hiddenTypes, s.Type), nil
}
