package drift

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// FuzzPointer states that every path of keys is written as a JSON pointer and read again without a change.
func FuzzPointer(f *testing.F) {
	f.Add("spec", "replicas")
	f.Add("example.org/team", "~1")
	f.Add("", "~0/~")
	f.Fuzz(func(t *testing.T, one, other string) {
		got := splitPointer("/" + escape.Replace(one) + "/" + escape.Replace(other))
		if diff := cmp.Diff([]string{one, other}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// FuzzIgnore states that an ignored field of a custom resource is never corrected, whatever else differs, and that the
// comparison changes neither object.
func FuzzIgnore(f *testing.F) {
	f.Add(`{"spec":{"replicas":3}}`, `{"spec":{"replicas":2}}`, "/spec/replicas")
	f.Add(`{"spec":{"a/b":{"~":1}}}`, `{"spec":{}}`, "/spec/a~1b/~0")
	f.Add(`{"list":[1,2,3]}`, `{"list":[1]}`, "/list/2")
	f.Add(`{"a":null,"b":[{"c":{}}]}`, `{"b":{"0":1}}`, "/b/0/c")
	f.Add(`{"metadata":{"labels":{"x":"y"}}}`, `{"metadata":null}`, "/metadata/labels")
	f.Fuzz(func(t *testing.T, wantJSON, liveJSON, pointer string) {
		want, live := custom(wantJSON), custom(liveJSON)
		if want == nil || live == nil || pointer == "" || pointer[0] != '/' {
			return
		}
		wantBefore, liveBefore := jsonOf(t, want), jsonOf(t, live)
		_, corrected, err := Compare(release.Object{Content: want}, live, []string{pointer})
		if jsonOf(t, want) != wantBefore || jsonOf(t, live) != liveBefore {
			t.Fatal("the comparison changed what it compared")
		}
		path := splitPointer(pointer)
		if err != nil || corrected == nil || !inMaps(want, path) || !inMaps(live, path) {
			return
		}
		if diff := cmp.Diff(valueAt(live, path), valueAt(corrected, path)); diff != "" {
			t.Errorf("%s is corrected: %s", pointer, diff)
		}
	})
}

// FuzzCompare states that a corrected object has nothing left to correct, for kinds with Go types and for others.
func FuzzCompare(f *testing.F) {
	for _, c := range comparisons {
		f.Add(c.kind, c.want, c.live)
	}
	f.Fuzz(func(t *testing.T, kind, wantText, liveText string) {
		want, live := parsed(kind, wantText), parsed(kind, liveText)
		if want == nil || live == nil {
			return
		}
		_, corrected, err := Compare(release.Object{Content: want}, live, nil)
		if err != nil || corrected == nil {
			return
		}
		if patch, again, err := Compare(release.Object{Content: want}, toJSONTypes(corrected), nil); err != nil || again != nil {
			t.Errorf("it would be corrected again: %s, %v", patch.Data, err)
		}
	})
}

// custom is a custom resource with the given content, or nil if that is no JSON object.
func custom(text string) map[string]any {
	var content map[string]any
	if err := json.Unmarshal([]byte(text), &content); err != nil || content == nil {
		return nil
	}
	content["apiVersion"], content["kind"] = "example.org/v1", "Thing"
	return toJSONTypes(content)
}

// parsed is object for text that may be anything; nil if it is no object.
func parsed(kind, text string) map[string]any {
	var content map[string]any
	if err := yaml.Unmarshal([]byte(text), &content); err != nil {
		return nil
	}
	return ofKind(kind, content)
}

func jsonOf(t *testing.T, value any) string {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// inMaps says whether a path leads through maps only. In a list, a path means a place and no element.
func inMaps(object map[string]any, path []string) bool {
	var node any = object
	for _, part := range path {
		if _, isList := node.([]any); isList {
			return false
		}
		node = child(node, part)
	}
	return true
}
