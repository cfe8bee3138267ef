package lookup

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

type answering struct{ body string }

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func secretOf(namespace, name, kind string) string {
	return `{"kind":"Secret","type":"` + kind + `","metadata":{"namespace":"` + namespace + `","name":"` + name + `"}}`
}

func TestWhatTemplatesSee(t *testing.T) {
	hidden := Hidden{Namespace: "agent", Names: []string{"keys", "git"}}
	const one, all, everywhere = "/api/v1/namespaces/agent/secrets/x", "/api/v1/namespaces/agent/secrets", "/api/v1/secrets"
	keys, token := secretOf("agent", "keys", "Opaque"), secretOf("agent", "token", "kubernetes.io/service-account-token")
	record, plain, namesake := secretOf("agent", "record", "helm.sh/release.v1"), secretOf("agent", "plain", "Opaque"), secretOf("shop", "keys", "Opaque")
	for name, test := range map[string]struct {
		path, body string
		want       string // empty for 404
	}{
		"a Secret of the agent":       {one, keys, ""},
		"a token":                     {one, token, ""},
		"a record of Helm's":          {one, record, ""},
		"behind a proxy":              {"/clusters/c" + one, keys, ""},
		"another Secret":              {one, plain, plain},
		"a namesake elsewhere":        {one, namesake, namesake},
		"a list":                      {all, `{"items":[` + keys + "," + plain + "," + token + "," + record + `]}`, `{"items":[` + plain + `]}`},
		"a list of all namespaces":    {everywhere, `{"items":[` + keys + "," + namesake + `]}`, `{"items":[` + namesake + `]}`},
		"a list of what is hidden":    {all, `{"items":[` + keys + `]}`, `{"items":[]}`},
		"an object of another kind":   {"/api/v1/namespaces/agent/configmaps/keys", keys, keys},
		"an empty list stays a list":  {all, `{"items":[]}`, `{"items":[]}`},
		"a list that is null":         {all, `{"items":null}`, `{"items":[]}`},
		"a namespace called secrets":  {"/api/v1/namespaces/secrets", keys, keys},
		"a Secret, shown as it comes": {one, plain + "\n", plain + "\n"},
	} {
		request, err := http.NewRequest(http.MethodGet, "https://api"+test.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := hidden.Transport(answering{test.body}).RoundTrip(request)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		body, err := io.ReadAll(response.Body)
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

func TestWhatCannotBeUnderstoodIsNotShown(t *testing.T) {
	for _, body := range []string{"k8s\x00protobuf", `{"items":{}}`, `{"items":[7]}`, "[]"} {
		request, err := http.NewRequest(http.MethodGet, "https://api/api/v1/secrets", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := (Hidden{}).Transport(answering{body}).RoundTrip(request); err == nil {
			response.Body.Close()
			t.Errorf("%q is shown", body)
		}
	}
}
