package loader

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/helmfile/helmfile/pkg/plugins"

	"github.com/helmfile-agent/helmfile-agent/agent/mask"
)

// masking is the agent's mask in place of the agent.
type masking struct{ *mask.Mask }

func (masking) File(string) {}

// TestReferencesAreMasked also watches over the place where vals keeps what it resolved.
func TestReferencesAreMasked(t *testing.T) {
	known, err := resolvedReferences()
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
	asked := map[string]any{"a": "ref+file://" + file + "#/secret", "b": "x ref+envsubst://$WHOLE+ y", "c": "ref+file://" + file + "#/number"}
	for i := range 600 { // more than vals would keep
		asked[fmt.Sprint(i)] = fmt.Sprintf("ref+echo://value-%d-of-many", i)
	}
	if _, err := runtime.Eval(asked); err != nil {
		t.Fatal(err)
	}
	mask := &mask.Mask{}
	l := &loader{req: request{report: masking{mask}}, resolved: resolved{known: known}}
	l.learn()
	got := mask.String("from-a-document from-the-environment 12345678 value-0-of-many value-599-of-many innocent")
	if want := strings.Repeat("******** ", 5) + "innocent"; got != want {
		t.Errorf("got %q", got)
	}
}
