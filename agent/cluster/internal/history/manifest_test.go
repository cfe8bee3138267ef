package history

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	helm "helm.sh/helm/v3/pkg/release"
)

// TestATextAtTheEndKeepsItsLineBreak: what Helm applies has it, and would seem to have drifted otherwise.
func TestATextAtTheEndKeepsItsLineBreak(t *testing.T) {
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata:\n  text: |\n    one\n"
	manifest, err := ManifestOf(&helm.Release{Manifest: "---\n" + object + "---\n" + object, Hooks: []*helm.Hook{{Manifest: object}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []any
	for _, o := range manifest {
		got = append(got, o.Content["data"].(map[string]any)["text"])
	}
	if diff := cmp.Diff([]any{"one\n", "one\n", "one\n"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestANullHookIsAnError: others can write records, and a null hook made the agent panic.
func TestANullHookIsAnError(t *testing.T) {
	revision := &helm.Release{Hooks: []*helm.Hook{nil}}
	if _, err := ManifestOf(revision); err == nil {
		t.Error("a null hook is accepted")
	}
	if digest := DigestOf(revision); digest != "" {
		t.Errorf("the record has the digest %s", digest)
	}
}
