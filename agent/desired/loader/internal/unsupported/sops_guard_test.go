package unsupported

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	encryptedFile = "password: ENC[AES256_GCM,data:x,type:str]\nsops: {mac: x, lastmodified: x}\n"
	plainFile     = "replicas: 2\nnote: 'values such as ENC[OTHER,data:x]'\n"
)

func writeFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestIsEncrypted(t *testing.T) {
	for name, test := range map[string]struct {
		values any
		want   bool
	}{
		"nothing":              {nil, false},
		"plain values":         {map[string]any{"a": "b", "c": []any{1, true, "d"}}, false},
		"a value":              {map[string]any{"a": "ENC[AES256_GCM,data:x]"}, true},
		"a value in a list":    {map[string]any{"a": []any{map[string]any{"b": "ENC[AES256_GCM,data:x]"}}}, true},
		"a part of a value":    {map[string]any{"a": "password=ENC[AES256_GCM,data:x]"}, true},
		"only sops's metadata": {map[string]any{"sops": map[string]any{"mac": "x", "lastmodified": "x"}}, true},
		"metadata below a key": {map[string]any{"a": map[string]any{"sops": map[string]any{"mac": "x", "lastmodified": "x"}}}, true},
		"a key sops of others": {map[string]any{"sops": map[string]any{"enabled": true}}, false},
		"a text under sops":    {map[string]any{"sops": "mac lastmodified"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := isEncrypted(test.values); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestEncryptedValues(t *testing.T) {
	encrypted, plain := writeFile(t, encryptedFile), writeFile(t, plainFile)
	merged := map[string]any{"password": "ENC[AES256_GCM,data:x,type:str]"}
	for name, test := range map[string]struct {
		entries []any
		files   []string
		merged  map[string]any
		want    []string
	}{
		"plain values": {
			entries: []any{"values.yaml"}, files: []string{plain}, merged: map[string]any{"replicas": 2},
		},
		"an encrypted file that later values replace": {
			entries: []any{"secret.yaml", "values.yaml"}, files: []string{encrypted, plain}, merged: map[string]any{"password": "plain"},
		},
		"an encrypted file": {
			entries: []any{"values.yaml", "secret.yaml"}, files: []string{plain, encrypted}, merged: merged,
			want: []string{"release web: secret.yaml " + stillEncrypted},
		},
		"two encrypted files": {
			entries: []any{"one.yaml", "two.yaml"}, files: []string{encrypted, encrypted}, merged: merged,
			want: []string{"release web: one.yaml " + stillEncrypted, "release web: two.yaml " + stillEncrypted},
		},
		"an inline value, which is not shown": {
			entries: []any{map[string]any{"password": "ENC[AES256_GCM,data:x,type:str]"}}, files: []string{encrypted}, merged: merged,
			want: []string{"release web: an inline value " + stillEncrypted},
		},
		"a value that is set": {
			entries: []any{"values.yaml"}, files: []string{plain}, merged: merged,
			want: []string{"release web: a value " + stillEncrypted},
		},
		"more files than entries": {
			entries: []any{"*.yaml"}, files: []string{plain, encrypted}, merged: merged,
			want: []string{"release web: a value " + stillEncrypted},
		},
		"a file that does not exist": {
			entries: []any{"missing.yaml"}, files: []string{filepath.Join(t.TempDir(), "missing.yaml")}, merged: merged,
			want: []string{"release web: a value " + stillEncrypted},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, EncryptedValues("web", test.entries, test.files, test.merged)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
