package kube

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/rest"
)

func TestTheOwnPodIsTheOneOfTheToken(t *testing.T) {
	token := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	}
	const bound = `{"kubernetes.io":{"namespace":"shop","pod":{"name":"agent-1","uid":"3f2a"},"serviceaccount":{"name":"agent"}}}`
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token(bound)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config *rest.Config
		want   string
	}{
		"a token that the kubelet has mounted": {&rest.Config{BearerTokenFile: file}, "shop/agent-1/3f2a"},
		"a token that is given":                {&rest.Config{BearerToken: token(bound)}, "shop/agent-1/3f2a"},
		"a token of no pod":                    {&rest.Config{BearerToken: token(`{"kubernetes.io":{"namespace":"shop"}}`)}, ""},
		"a token without a UID":                {&rest.Config{BearerToken: token(`{"kubernetes.io":{"namespace":"shop","pod":{"name":"agent-1"}}}`)}, ""},
		"another token":                        {&rest.Config{BearerToken: "secret"}, ""},
		"what is no JSON":                      {&rest.Config{BearerToken: token("{")}, ""},
		"a certificate":                        {&rest.Config{}, ""},
		"a file that is not there":             {&rest.Config{BearerTokenFile: file + "x"}, ""},
		"no configuration":                     {nil, ""},
	} {
		pod, ok := podOf(test.config)
		if pod.String() != test.want || ok != (test.want != "") {
			t.Errorf("%s: got %q %t", name, pod, ok)
		}
	}
}
