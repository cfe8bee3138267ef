package drift

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// helms are the names under which Helm and the agent, which has Helm inside, write.
var helms = []string{"helm", "helmfile-agent"}

// owners are who wrote the fields of a live object, as the API server recorded it.
type owners struct {
	live    map[string]any
	read    bool
	entries []entry
}

type entry struct {
	manager string
	at      time.Time
	fields  map[string]any
}

func (o *owners) all() []entry {
	if o.read {
		return o.entries
	}
	o.read = true
	u := unstructured.Unstructured{Object: o.live}
	for _, managed := range u.GetManagedFields() {
		if managed.FieldsV1 == nil || managed.Subresource == "status" {
			continue
		}
		var fields map[string]any
		if json.Unmarshal(managed.FieldsV1.Raw, &fields) == nil {
			o.entries = append(o.entries, entry{managed.Manager, timeOf(managed.Time), fields})
		}
	}
	return o.entries
}

func timeOf(at *metav1.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.Time
}

// ours says that nobody but Helm has written the field or anything below it: whatever the manifest does not say of it, the
// API server added.
func (o *owners) ours(path []string) bool {
	for _, e := range o.all() {
		if !slices.Contains(helms, e.manager) && e.wrote(o.live, path) {
			return false
		}
	}
	return len(o.all()) > 0
}

// wrote says whether the field, or one below it, or one that it is a part of as a whole, belongs to the entry.
func (e entry) wrote(live map[string]any, path []string) bool {
	depth, below := depthOf(e.fields, live, path)
	return depth == len(path) || depth > 0 && len(below) == 0
}

// writer is who wrote the field, or some of what is below it, last. Nobody is recorded to have removed one.
func (o *owners) writer(path []string) (manager string, since time.Time) {
	deepest := 0
	if follow(o.live, path) == nil {
		deepest = len(path)
	}
	for _, e := range o.all() {
		depth, _ := depthOf(e.fields, o.live, path)
		if e.wrote(o.live, path) && (depth > deepest || depth == deepest && !e.at.Before(since)) {
			deepest, manager, since = depth, e.manager, e.at
		}
	}
	return manager, since
}

// depthOf is how many parts of the path the set of owned fields has, and what it has below the last of them.
func depthOf(owned map[string]any, node any, path []string) (int, map[string]any) {
	for depth, part := range path {
		next, ok := owned["f:"+part].(map[string]any)
		if list, isList := node.([]any); isList {
			next, ok = item(owned, child(list, part))
		}
		if !ok {
			return depth, owned
		}
		owned, node = next, child(node, part)
	}
	return len(path), owned
}

// item finds an element of a list by its keys, written as k:{"name":"web"}, or a plain value, written as v:"web".
func item(owned map[string]any, element any) (map[string]any, bool) {
	for name, below := range owned {
		next, ok := below.(map[string]any)
		if ok && names(name, element) {
			return next, true
		}
	}
	return nil, false
}

func names(name string, element any) bool {
	kind, encoded, _ := strings.Cut(name, ":")
	var named any
	if json.Unmarshal([]byte(encoded), &named) != nil {
		return false
	}
	switch kind {
	case "v":
		return sameJSON(named, element)
	case "k":
		keys, areKeys := named.(map[string]any)
		object, isObject := element.(map[string]any)
		return areKeys && isObject && has(object, keys)
	default:
		return false
	}
}

func has(object, keys map[string]any) bool {
	for key, value := range keys {
		if !sameJSON(object[key], value) {
			return false
		}
	}
	return true
}

func sameJSON(a, b any) bool {
	one, err := json.Marshal(a)
	other, otherErr := json.Marshal(b)
	return err == nil && otherErr == nil && string(one) == string(other)
}
