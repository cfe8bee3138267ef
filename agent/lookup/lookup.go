// Package lookup decides which requests charts may send to the API server, and removes Secrets from the answers. Templates read objects
// with the function `lookup`, and the API server answers with the rights of the agent. So the Secrets that the agent reads only for itself
// must stay hidden from templates.
//
// It may import no other package of the agent.
package lookup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// Hidden says which Secrets are hidden from templates. Tokens of ServiceAccounts and Helm's records are hidden in every namespace.
type Hidden struct {
	Namespace string   // the agent's namespace
	Names     []string // the Secrets in it that the agent's pod uses
	Base      string   // the path in the URL of the API server, if it has one
}

var hiddenTypes = []string{"kubernetes.io/service-account-token", "helm.sh/release.v1"}

// maxAnswer is the limit of one answer of the API server, in bytes.
const maxAnswer = 64 << 20

// Transport is only for the client of `lookup`. It sends the requests that [Check] permits, and removes hidden Secrets from the answers.
func (h Hidden) Transport(next http.RoundTripper) http.RoundTripper {
	return filteringTransport{h, next}
}

type filteringTransport struct {
	hidden Hidden
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t filteringTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	info, err := parse(request, t.hidden.Base)
	if err != nil {
		return nil, err
	}
	response, err := t.next.RoundTrip(acceptOnlyJSON(request))
	if err != nil {
		return nil, err
	}
	response.Body = limit(response.Body)
	if !isSecrets(info) || response.StatusCode >= http.StatusMultipleChoices {
		return response, nil
	}
	return t.hidden.filterResponse(response)
}

// acceptOnlyJSON returns a copy of the request that accepts only JSON, because the agent can filter only JSON. It asks for no other protocol.
func acceptOnlyJSON(request *http.Request) *http.Request {
	changed := request.Clone(request.Context())
	changed.Body, changed.ContentLength = nil, 0
	for _, name := range []string{"Accept-Encoding", "Connection", "Upgrade"} {
		changed.Header.Del(name)
	}
	changed.Header.Set("Accept", "application/json")
	return changed
}

// filterResponse removes hidden Secrets from a response.
func (h Hidden) filterResponse(response *http.Response) (*http.Response, error) {
	content, err := io.ReadAll(response.Body)
	if closeErr := response.Body.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		content, err = h.filter(content)
	}
	if err != nil {
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

// secret has the fields of a Secret that decide whether it is hidden.
type secret struct {
	Type     string `json:"type"`
	Metadata struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
}

// filter removes hidden Secrets from an answer. It returns nil if the answer is one hidden Secret. An answer of another kind is an error,
// because it may contain a hidden Secret. Examples are a Table, and metadata without the type.
func (h Hidden) filter(content []byte) ([]byte, error) {
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(content, &answer); err != nil {
		return nil, err
	}
	switch kind := string(answer["kind"]); kind {
	case `"Secret"`:
		hidden, err := h.hides(content)
		if err != nil || hidden {
			return nil, err
		}
		return content, nil
	case `"SecretList"`:
		visible, err := h.visible(answer["items"])
		if err != nil {
			return nil, err
		}
		answer["items"] = visible
		return json.Marshal(answer)
	default:
		return nil, fmt.Errorf("the API server answers with the kind %.100s, but the agent can filter only Secret and SecretList", kind)
	}
}

// visible are the items of a list that are not hidden.
func (h Hidden) visible(list json.RawMessage) (json.RawMessage, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(list, &items); err != nil {
		return nil, err
	}
	visible := []json.RawMessage{}
	for _, item := range items {
		hidden, err := h.hides(item)
		if err != nil {
			return nil, err
		}
		if !hidden {
			visible = append(visible, item)
		}
	}
	return json.Marshal(visible)
}

// hides says whether a Secret is hidden.
func (h Hidden) hides(content []byte) (bool, error) {
	var s secret
	if err := json.Unmarshal(content, &s); err != nil {
		return false, err
	}
	ofAgent := s.Metadata.Namespace == h.Namespace && slices.Contains(h.Names, s.Metadata.Name)
	return ofAgent || slices.Contains(hiddenTypes, s.Type), nil
}
