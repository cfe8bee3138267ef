package references

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/helmfile/vals/pkg/api"
	"github.com/helmfile/vals/pkg/config"
	"github.com/helmfile/vals/pkg/providers/registry"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/decryption"
)

// fakeAgent decrypts each file to its content in lower case, and records the requests.
type fakeAgent struct {
	requests []string
	err      error
}

func (a *fakeAgent) Decrypt(_ context.Context, file broker.EncryptedFile) ([]byte, error) {
	a.requests = append(a.requests, fmt.Sprintf("%s as %q", filepath.Base(file.Name), file.Format))
	return bytes.ToLower(file.Content), a.err
}

func checkFile(path string) error {
	if strings.HasPrefix(path, "/outside") {
		return errors.New(path + " is outside of the repository")
	}
	return nil
}

// newDecrypter returns a Decrypter in a working directory with the file secret.yaml.
func newDecrypter(t *testing.T, agent *fakeAgent) *decryption.Decrypter {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("secret.yaml", []byte("A: {B: S3CRET}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return decryption.NewDecrypter(t.Context(), agent, checkFile, slog.New(slog.DiscardHandler))
}

func TestSopsProvider(t *testing.T) {
	inline := base64.URLEncoding.EncodeToString([]byte("A: INLINE\n"))
	for name, test := range map[string]struct {
		key      string
		conf     map[string]any
		asMap    bool
		agent    error
		want     string // the value, or the error
		requests []string
	}{
		"a file":                               {key: "secret.yaml", want: "a: {b: s3cret}\n", requests: []string{`secret.yaml as ""`}},
		"a value in a file":                    {key: "secret.yaml", asMap: true, want: "map[a:map[b:s3cret]]", requests: []string{`secret.yaml as "yaml"`}},
		"another format":                       {key: "secret.yaml", conf: map[string]any{"format": "binary"}, want: "a: {b: s3cret}\n", requests: []string{`secret.yaml as "binary"`}},
		"a value of another format":            {key: "secret.yaml", conf: map[string]any{"format": "json"}, asMap: true, want: "map[a:map[b:s3cret]]", requests: []string{`secret.yaml as "json"`}},
		"a file in base64":                     {key: "secret.yaml", conf: map[string]any{"encode": "base64"}, want: base64.StdEncoding.EncodeToString([]byte("a: {b: s3cret}\n")), requests: []string{`secret.yaml as ""`}},
		"content in the reference":             {key: inline, conf: map[string]any{"key_type": "base64"}, want: "a: inline\n", requests: []string{`the content of ref+sops as ""`}},
		"content that is no base64":            {key: "%", conf: map[string]any{"key_type": "base64"}, want: "ref+sops:// with key_type=base64: illegal base64 data at input byte 0"},
		"a file outside":                       {key: "/outside/secret.yaml", want: "/outside/secret.yaml is outside of the repository"},
		"a value in a file outside":            {key: "/outside/secret.yaml", asMap: true, want: "/outside/secret.yaml is outside of the repository"},
		"a missing file":                       {key: "missing.yaml", want: "cannot decrypt missing.yaml: open missing.yaml: no such file or directory"},
		"a file that the agent cannot decrypt": {key: "secret.yaml", agent: errors.New("cannot decrypt secret.yaml: no key"), want: "cannot decrypt secret.yaml: no key", requests: []string{`secret.yaml as ""`}},
	} {
		t.Run(name, func(t *testing.T) {
			agent := &fakeAgent{err: test.agent}
			decrypter := newDecrypter(t, agent)
			p := sopsProvider{config.MapConfig{M: test.conf}, decrypter}
			var got string
			var err error
			if test.asMap {
				var values map[string]any
				values, err = p.GetStringMap(test.key)
				got = fmt.Sprint(values)
			} else {
				got, err = p.GetString(test.key)
			}
			if err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if diff := cmp.Diff(test.requests, agent.requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if failed := decrypter.Failures(); (failed == nil) != (err == nil) || err != nil && failed.Error() != err.Error() {
				t.Errorf("the recorded failure is %v, the error is %v", failed, err)
			}
		})
	}
}

// TestProvidersAreReplaced checks the providers that helmfile's instance of vals makes.
func TestProvidersAreReplaced(t *testing.T) {
	agent := &fakeAgent{}
	ReplaceProviders(newDecrypter(t, agent), checkFile)
	provider := func(name string, conf map[string]any) (api.Provider, error) {
		newProvider, known := registry.GetProvider(name)
		if !known {
			t.Fatalf("there is no provider %s", name)
		}
		return newProvider(nil, config.MapConfig{M: conf}, "")
	}
	if _, err := provider("k8s", nil); !errors.Is(err, errNoKubernetes) {
		t.Errorf("got %v", err)
	}
	sops, err := provider("sops", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sops.GetString("secret.yaml"); got != "a: {b: s3cret}\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// recordingStore stands for a store of vals.
type recordingStore struct{ keys *[]string }

func (s recordingStore) GetString(key string) (string, error) {
	*s.keys = append(*s.keys, key)
	return "value", nil
}

func (s recordingStore) GetStringMap(key string) (map[string]any, error) {
	*s.keys = append(*s.keys, key)
	return map[string]any{"a": "value"}, nil
}

func TestGuardedStore(t *testing.T) {
	for name, test := range map[string]struct {
		store, key string
		conf       map[string]any
		env        string // VAULT_KUBERNETES_JWT_TOKEN_PATH
		want       string // the error; empty if vals may read the secret
	}{
		"no files":                         {store: "vault", conf: map[string]any{"address": "https://vault.example", "auth_method": "token"}},
		"a file of the repository":         {store: "vault", conf: map[string]any{"token_file": "own/token"}},
		"a file outside":                   {store: "vault", conf: map[string]any{"token_file": "/outside/token"}, want: "ref+vault:// with token_file: /outside/token is outside of the repository"},
		"another parameter for a file":     {store: "openbao", conf: map[string]any{"password_file": "/outside/token"}, want: "ref+openbao:// with password_file: /outside/token is outside of the repository"},
		"an empty parameter":               {store: "vault", conf: map[string]any{"token_file": ""}},
		"the login method kubernetes":      {store: "vault", conf: map[string]any{"auth_method": "kubernetes"}, want: "ref+vault:// with auth_method=kubernetes: /var/run/secrets"},
		"a token that the operator allows": {store: "vault", conf: map[string]any{"auth_method": "kubernetes"}, env: "/run/token"},
		"a state of Terraform":             {store: "tfstate", key: "own/terraform.tfstate/output.a"},
		"a state of Terraform outside":     {store: "tfstate", key: "/outside/terraform.tfstate/output.a", want: "/outside/terraform.tfstate is outside of the repository"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("VAULT_KUBERNETES_JWT_TOKEN_PATH", test.env)
			var keys []string
			store := guardedStore{recordingStore{&keys}, test.store, config.MapConfig{M: test.conf}, func(path string) error {
				if path == serviceAccountToken {
					return errors.New(path + " is outside of the repository")
				}
				return checkFile(path)
			}}
			text, textErr := store.GetString(test.key)
			values, mapErr := store.GetStringMap(test.key)
			if test.want == "" {
				if textErr != nil || mapErr != nil || text != "value" || fmt.Sprint(values) != "map[a:value]" {
					t.Errorf("got %q, %v and %v, %v", text, textErr, values, mapErr)
				}
				return
			}
			for _, err := range []error{textErr, mapErr} {
				if err == nil || !strings.HasPrefix(err.Error(), test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
			}
			if keys != nil {
				t.Errorf("vals has read %v", keys)
			}
		})
	}
}
