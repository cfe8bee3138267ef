package options

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestACopyOfValuesSharesNothing(t *testing.T) {
	values := func() map[string]any {
		return map[string]any{
			"image": map[string]any{"tag": "1"},
			"hosts": []any{map[string]any{"name": "a"}, []any{"b"}},
			"none":  nil,
			"empty": map[string]any{},
		}
	}
	given := values()
	copied := CopyOf(given)
	if diff := cmp.Diff(given, copied); diff != "" {
		t.Fatalf("copy (-want +got):\n%s", diff)
	}
	copied["image"].(map[string]any)["tag"] = "2"
	copied["hosts"].([]any)[0].(map[string]any)["name"] = "c"
	copied["hosts"].([]any)[1].([]any)[0] = "d"
	copied["empty"].(map[string]any)["new"] = true
	delete(copied, "none")
	if diff := cmp.Diff(values(), given); diff != "" {
		t.Errorf("a change of the copy changed the values (-want +got):\n%s", diff)
	}
}
