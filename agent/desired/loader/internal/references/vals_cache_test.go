package references

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/helmfile/helmfile/pkg/plugins"

	"github.com/helmfile-agent/helmfile-agent/agent/mask"
)

// TestReferencesAreMasked also fails if a new version of vals keeps what it resolved elsewhere.
func TestReferencesAreMasked(t *testing.T) {
	mask := &mask.Mask{}
	cache, err := OpenValsCache(mask)
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := plugins.ValsInstance()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(file, []byte("secret: from-a-document\nnumber: 12345678\nharmless: innocent\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("WHOLE", "from-the-environment")
	references := map[string]any{"a": "ref+file://" + file + "#/secret", "b": "x ref+envsubst://$WHOLE+ y", "c": "ref+file://" + file + "#/number"}
	for i := range 600 { // more than the caches hold by default
		references[fmt.Sprint(i)] = fmt.Sprintf("ref+echo://value-%d-of-many", i)
	}
	if _, err := runtime.Eval(references); err != nil {
		t.Fatal(err)
	}
	cache.SendSecrets()
	got := mask.String("from-a-document from-the-environment 12345678 value-0-of-many value-599-of-many innocent")
	if want := strings.Repeat("******** ", 5) + "innocent"; got != want {
		t.Errorf("got %q", got)
	}
}

// fakeCache stands for a cache of vals.
type fakeCache map[string]any

func (c fakeCache) Keys() []any {
	var keys []any
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}

func (c fakeCache) Peek(key any) (any, bool) { value, found := c[key.(string)]; return value, found }
func (c fakeCache) Resize(int) int           { return 0 }

// fakeMask records what it gets.
type fakeMask struct{ documents []any }

func (m *fakeMask) AddLeaves(document any) { m.documents = append(m.documents, document) }

func TestSendSecrets(t *testing.T) {
	document := map[string]any{"password": "s3cret"}
	for name, test := range map[string]struct {
		strings, documents fakeCache
		want               []any
	}{
		"nothing":                          {},
		"a value":                          {strings: fakeCache{"vault://kv/a": "s3cret"}, want: []any{"s3cret"}},
		"a document of a store":            {documents: fakeCache{"vault://kv/a": document}, want: []any{document}},
		"a plain file":                     {documents: fakeCache{"file://values.yaml": document, "FILE://other.yaml": document}},
		"a value of a plain file":          {strings: fakeCache{"file://values.yaml": "s3cret"}, want: []any{"s3cret"}},
		"a store whose name contains file": {documents: fakeCache{"gcs-file://a": document}, want: []any{document}},
	} {
		t.Run(name, func(t *testing.T) {
			mask := &fakeMask{}
			c := &ValsCache{strings: test.strings, documents: test.documents, mask: mask}
			for range 2 {
				c.SendSecrets()
			}
			if diff := cmp.Diff(test.want, mask.documents); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSendSecretsAgainWhenThereAreMore(t *testing.T) {
	mask := &fakeMask{}
	values := fakeCache{"vault://kv/a": "first"}
	c := &ValsCache{strings: values, documents: fakeCache{}, mask: mask}
	c.SendSecrets()
	values["vault://kv/b"] = "second"
	c.SendSecrets()
	if !slices.Contains(mask.documents, any("second")) {
		t.Errorf("got %v", mask.documents)
	}
}

func TestReferencesThatAreRefused(t *testing.T) {
	for key, want := range map[string]struct {
		command    bool
		parameters error
	}{
		"vault://kv/exec":                {},
		"exec:///bin/date":               {command: true},
		"EXEC:///bin/date":               {command: true},
		"file://a.yaml":                  {},
		"file://a.yaml?encode=base64":    {},
		"file://a.yaml?encode=raw":       {},
		"file://a.yaml?encode=raw&x=y":   {parameters: errFileParameters},
		"file://a.yaml?x=y":              {parameters: errFileParameters},
		"FILE://a.yaml?x=y":              {parameters: errFileParameters},
		"file://%zz":                     {parameters: errFileParameters},
		"vault://kv/a?encode=other&file": {},
	} {
		for _, c := range []*ValsCache{{strings: fakeCache{key: "x"}, documents: fakeCache{}}, {strings: fakeCache{}, documents: fakeCache{key: "x"}}} {
			if got := c.RanCommand(); got != want.command {
				t.Errorf("%s: ran a command: %t", key, got)
			}
			if err := c.CheckFileParameters(); !errors.Is(err, want.parameters) {
				t.Errorf("%s: got %v", key, err)
			}
		}
	}
}

// TestFilesAreGuarded checks that the instance of vals that helmfile uses has the guarded provider.
func TestFilesAreGuarded(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("guarded.yaml", []byte("a: allowed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cache, err := OpenValsCache(&fakeMask{})
	if err != nil {
		t.Fatal(err)
	}
	var checked []string
	if err := cache.GuardFiles(func(path string) error {
		checked = append(checked, path)
		return checkFile(path)
	}); err != nil {
		t.Fatal(err)
	}
	runtime, err := plugins.ValsInstance()
	if err != nil {
		t.Fatal(err)
	}
	for reference, want := range map[string]string{
		"ref+file://guarded.yaml#/a":                     "allowed",
		"ref+file://guarded.yaml":                        "a: allowed\n",
		"ref+file://guarded.yaml?encode=base64":          "YTogYWxsb3dlZAo=",
		"ref+file:///outside/guarded.yaml":               "",
		"ref+file:///outside/guarded.yaml#/a":            "",
		"ref+file:///outside/guarded.yaml?encode=base64": "",
		"ref+file:///outside/guarded.yaml?encode=raw#/a": "",
	} {
		checked = nil
		got, err := runtime.Eval(map[string]any{"x": reference})
		if want != "" && (err != nil || got["x"] != want) {
			t.Errorf("%s: got %v, %v", reference, got, err)
		}
		if want == "" && (err == nil || !strings.Contains(err.Error(), "/outside/guarded.yaml is outside of the repository")) {
			t.Errorf("%s: got %v, %v", reference, got, err)
		}
		if len(checked) == 0 {
			t.Errorf("%s: the path was not checked", reference)
		}
	}
}
