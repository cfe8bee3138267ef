package drift

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// helmManagers are the field managers of Helm and of the agent, which writes with Helm's code.
var helmManagers = []string{"helm", "helmfile-agent"}

// managedFields reads from metadata.managedFields of a live object which client wrote which field.
type managedFields struct {
	live    map[string]any
	read    bool
	entries []entry
}

type entry struct {
	manager string
	at      time.Time
	fields  map[string]any
}

func (m *managedFields) all() []entry {
	if m.read {
		return m.entries
	}
	m.read = true
	u := unstructured.Unstructured{Object: m.live}
	for _, managed := range u.GetManagedFields() {
		if managed.FieldsV1 == nil || managed.Subresource == "status" {
			continue
		}
		var fields map[string]any
		if json.Unmarshal(managed.FieldsV1.GetRawBytes(), &fields) == nil {
			m.entries = append(m.entries, entry{managed.Manager, timeOf(managed.Time), fields})
		}
	}
	return m.entries
}

func timeOf(at *metav1.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.Time
}

// onlyHelmWrote says that only Helm has written the field and the fields below it. Then the API server added everything in it that
// the manifest does not set.
func (m *managedFields) onlyHelmWrote(path []string) bool {
	for _, e := range m.all() {
		if !slices.Contains(helmManagers, e.manager) && e.wrote(m.live, path) {
			return false
		}
	}
	return len(m.all()) > 0
}

// wrote says whether the entry contains the field, a field below it, or a list or map around it that counts as one value.
func (e entry) wrote(live map[string]any, path []string) bool {
	depth, below := depthOf(e.fields, live, path)
	return depth == len(path) || depth > 0 && len(below) == 0
}

// lastWriter is the client that wrote the field, or a field below it, last. For a removed field it is empty, because managedFields
// does not record removals.
func (m *managedFields) lastWriter(path []string) (manager string, since time.Time) {
	deepest := 0
	if valueAt(m.live, path) == nil {
		deepest = len(path)
	}
	for _, e := range m.all() {
		depth, _ := depthOf(e.fields, m.live, path)
		if e.wrote(m.live, path) && (depth > deepest || depth == deepest && !e.at.Before(since)) {
			deepest, manager, since = depth, e.manager, e.at
		}
	}
	return manager, since
}

// depthOf returns how many parts of the path the set of owned fields contains, and the owned fields below the last of them.
func depthOf(owned map[string]any, node any, path []string) (int, map[string]any) {
	for depth, part := range path {
		next, ok := owned["f:"+part].(map[string]any)
		if list, isList := node.([]any); isList {
			next, ok = findElement(owned, child(list, part))
		}
		if !ok {
			return depth, owned
		}
		owned, node = next, child(node, part)
	}
	return len(path), owned
}

// findElement returns the owned fields of an element of a list. Their name is the keys of the element, such as k:{"name":"web"}, or
// its value, such as v:"web".
func findElement(owned map[string]any, element any) (map[string]any, bool) {
	for name, below := range owned {
		next, ok := below.(map[string]any)
		if ok && identifies(name, element) {
			return next, true
		}
	}
	return nil, false
}

// identifies says whether the name in managedFields refers to the element.
func identifies(name string, element any) bool {
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
		return areKeys && isObject && hasAll(object, keys)
	default:
		return false
	}
}

func hasAll(object, keys map[string]any) bool {
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
