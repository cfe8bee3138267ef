// Package lookup decides what charts may ask of the API server, and hides from them those Secrets that the agent may read only for
// itself: templates ask for objects with the function `lookup`, and the API server answers them with the agent's rights.
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

// Hidden says which Secrets templates never see. Tokens of ServiceAccounts and Helm's records are hidden in every namespace.
type Hidden struct {
	Namespace string   // the agent's own
	Names     []string // Secrets in it that the agent's pod uses
	Base      string   // the path of the API server's URL, if it has one
}

var hiddenTypes = []string{"kubernetes.io/service-account-token", "helm.sh/release.v1"}

// maxAnswer bounds one answer of the API server.
const maxAnswer = 64 << 20

// Transport is for the client of `lookup` only: it sends what [Check] permits and takes what is hidden out of the API server's answers.
func (h Hidden) Transport(next http.RoundTripper) http.RoundTripper { return hiding{h, next} }

type hiding struct {
	hidden Hidden
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t hiding) RoundTrip(request *http.Request) (*http.Response, error) {
	info, err := parse(request, t.hidden.Base)
	if err != nil {
		return nil, err
	}
	response, err := t.next.RoundTrip(plain(request))
	if err != nil {
		return nil, err
	}
	response.Body = bounded(response.Body)
	if !isSecrets(info) || response.StatusCode >= http.StatusMultipleChoices {
		return response, nil
	}
	return t.hidden.without(response)
}

// plain asks for JSON, which is what can be filtered, and for no other protocol.
func plain(request *http.Request) *http.Request {
	asked := request.Clone(request.Context())
	asked.Body, asked.ContentLength = nil, 0
	for _, name := range []string{"Accept-Encoding", "Connection", "Upgrade"} {
		asked.Header.Del(name)
	}
	asked.Header.Set("Accept", "application/json")
	return asked
}

// without is the response without what is hidden.
func (h Hidden) without(response *http.Response) (*http.Response, error) {
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

// secret is as much of a Secret as tells whether it is hidden.
type secret struct {
	Type     string `json:"type"`
	Metadata struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
}

// filter is an answer without what is hidden: nil for a single Secret that is. Another kind of answer is an error, because it may hold
// what is hidden: a Table, for example, or metadata without the type.
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
		shown, err := h.shown(answer["items"])
		if err != nil {
			return nil, err
		}
		answer["items"] = shown
		return json.Marshal(answer)
	default:
		return nil, fmt.Errorf("the API server answers with the kind %.100s, but only Secret and SecretList can be filtered", kind)
	}
}

// shown are the items of a list that are not hidden.
func (h Hidden) shown(list json.RawMessage) (json.RawMessage, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(list, &items); err != nil {
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
	return json.Marshal(shown)
}

func (h Hidden) hides(content []byte) (bool, error) {
	var s secret
	if err := json.Unmarshal(content, &s); err != nil {
		return false, err
	}
	own := s.Metadata.Namespace == h.Namespace && slices.Contains(h.Names, s.Metadata.Name)
	return own || slices.Contains(hiddenTypes, s.Type), nil
}
