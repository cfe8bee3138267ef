package lookup

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

type fixedAnswer struct{ body string }

func (a fixedAnswer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func secretOf(namespace, name, kind string) string {
	return `{"kind":"Secret","type":"` + kind + `","metadata":{"namespace":"` + namespace + `","name":"` + name + `"}}`
}

func TestHiddenSecrets(t *testing.T) {
	hidden := Hidden{Namespace: "agent", Names: []string{"keys", "git"}}
	const one, all, everywhere = "/api/v1/namespaces/agent/secrets/x", "/api/v1/namespaces/agent/secrets", "/api/v1/secrets"
	keys, token := secretOf("agent", "keys", "Opaque"), secretOf("agent", "token", "kubernetes.io/service-account-token")
	record, plain, sameName := secretOf("agent", "record", "helm.sh/release.v1"), secretOf("agent", "plain", "Opaque"), secretOf("shop", "keys", "Opaque")
	list := func(items ...string) string {
		return `{"items":[` + strings.Join(items, ",") + `],"kind":"SecretList"}`
	}
	for name, test := range map[string]struct {
		path, body string
		want       string // empty for 404
	}{
		"a Secret of the agent":              {one, keys, ""},
		"a token":                            {one, token, ""},
		"a record of Helm":                   {one, record, ""},
		"another Secret":                     {one, plain, plain},
		"the same name in another namespace": {one, sameName, sameName},
		"a list":                             {all, list(keys, plain, token, record), list(plain)},
		"a list of all namespaces":           {everywhere, list(keys, sameName), list(sameName)},
		"a list of hidden Secrets":           {all, list(keys), list()},
		"an object of another kind":          {"/api/v1/namespaces/agent/configmaps/keys", keys, keys},
		"an empty list stays a list":         {all, list(), list()},
		"a list that is null":                {all, `{"items":null,"kind":"SecretList"}`, list()},
		"a namespace called secrets":         {"/api/v1/namespaces/secrets", keys, keys},
		"a visible Secret is not changed":    {one, plain + "\n", plain + "\n"},
	} {
		request, err := http.NewRequest(http.MethodGet, "https://api"+test.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := hidden.Transport(fixedAnswer{test.body}).RoundTrip(request)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if test.want == "" {
			if response.StatusCode != http.StatusNotFound || !strings.Contains(string(body), `"NotFound"`) {
				t.Errorf("%s: %d %s", name, response.StatusCode, body)
			}
			continue
		}
		if response.StatusCode != http.StatusOK || string(body) != test.want {
			t.Errorf("%s: %d\n got %s\nwant %s", name, response.StatusCode, body, test.want)
		}
	}
}

func TestAnswersOfOtherKindsAreErrors(t *testing.T) {
	for _, body := range []string{
		"k8s\x00protobuf", "[]", `{}`,
		`{"kind":"SecretList","items":{}}`, `{"kind":"SecretList","items":[7]}`, `{"kind":"SecretList"}`,
		`{"kind":"Table","rows":[{"object":` + secretOf("agent", "keys", "Opaque") + `}]}`,
		`{"kind":"PartialObjectMetadata","metadata":{"name":"token","namespace":"agent"}}`,
		`{"kind":"PartialObjectMetadataList","items":[]}`,
		`{"kind":"List","items":[` + secretOf("agent", "plain", "Opaque") + `]}`,
	} {
		request, err := http.NewRequest(http.MethodGet, "https://api/api/v1/secrets", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := (Hidden{}).Transport(fixedAnswer{body}).RoundTrip(request); err == nil {
			_ = response.Body.Close()
			t.Errorf("%q is no error", body)
		}
	}
}

// TestRequestsAskForJSONOnly: the agent cannot filter other formats, and another protocol would bypass the filter.
func TestRequestsAskForJSONOnly(t *testing.T) {
	request := httptest.NewRequest(http.MethodGet, "/clusters/c/api/v1/namespaces/agent/secrets/keys", strings.NewReader("a body"))
	for name, value := range map[string]string{"Accept": "application/json;as=Table", "Accept-Encoding": "br", "Connection": "Upgrade", "Upgrade": "SPDY/3.1"} {
		request.Header.Set(name, value)
	}
	var sent *http.Request
	next := roundTrip(func(r *http.Request) (*http.Response, error) {
		sent = r
		return fixedAnswer{secretOf("agent", "keys", "Opaque")}.RoundTrip(r)
	})
	response, err := Hidden{Namespace: "agent", Names: []string{"keys"}, Base: "/clusters/c"}.Transport(next).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Fatalf("got %v", response)
	}
	if want := (http.Header{"Accept": {"application/json"}}); !maps.EqualFunc(sent.Header, want, slices.Equal) || sent.Body != nil {
		t.Errorf("sent %v with the body %v", sent.Header, sent.Body)
	}
	if request.Header.Get("Upgrade") == "" {
		t.Error("the caller's request was changed")
	}
}

// TestRefusedRequestsAreNotSent: the transport has the same rule as the proxy.
func TestRefusedRequestsAreNotSent(t *testing.T) {
	next := roundTrip(func(*http.Request) (*http.Response, error) {
		t.Error("the request was sent")
		return nil, io.EOF
	})
	if response, err := (Hidden{}).Transport(next).RoundTrip(httptest.NewRequest(http.MethodGet, "/api/v1/secrets/", nil)); err == nil {
		_ = response.Body.Close()
		t.Error("no error")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

func TestAnswersHaveALimit(t *testing.T) {
	for size, wantErr := range map[int64]bool{maxAnswer: false, maxAnswer + 1: true} {
		next := roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(io.LimitReader(spaces{}, size))}, nil
		})
		response, err := (Hidden{}).Transport(next).RoundTrip(httptest.NewRequest(http.MethodGet, "/api/v1/configmaps", nil))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, response.Body); (err != nil) != wantErr || n > maxAnswer {
			t.Errorf("%d bytes: read %d, %v", size, n, err)
		}
		_ = response.Body.Close()
		if wantErr {
			response, err := (Hidden{}).Transport(next).RoundTrip(httptest.NewRequest(http.MethodGet, "/api/v1/secrets", nil))
			if err == nil {
				_ = response.Body.Close()
			}
			if !errors.Is(err, errTooLarge) {
				t.Errorf("Secrets: got %v", err)
			}
		}
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
