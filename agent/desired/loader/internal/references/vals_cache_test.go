package references

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
