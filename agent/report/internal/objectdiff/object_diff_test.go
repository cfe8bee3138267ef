package objectdiff

import (
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestAnObjectThatIsRenderedTwiceIsComparedTwice(t *testing.T) {
	key := release.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Name: "a"}
	twice := release.Manifest{
		{ObjectKey: key, Content: map[string]any{"kind": "ConfigMap", "data": map[string]any{"n": "1"}}},
		{ObjectKey: key, Content: map[string]any{"kind": "ConfigMap", "data": map[string]any{"n": "2"}}},
	}
	if got := Pairs(twice, twice, "shop"); len(got) != 2 {
		t.Errorf("got %d pairs, want 2", len(got))
	}
}
