package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// maxNames is how many changed values or objects a reason lists by name.
const maxNames = 4

// difference explains why the newest revision differs from the rendered one. It is empty when the objects are equal. As with
// `helmfile apply`, only objects count: a new chart version or value that changes no object is not a difference.
func difference(have release.Observed, next release.Rendered) string {
	objects := changedObjects(have.Manifest, next.Manifest)
	if len(objects) == 0 {
		return ""
	}
	var reasons []string
	if reason := chartChange(have.Chart, next.Chart); reason != "" {
		reasons = append(reasons, reason)
	}
	if paths := changedPaths(have.Values, next.Values); len(paths) > 0 {
		reasons = append(reasons, "values changed: "+enumerate(paths))
	}
	if len(reasons) == 0 {
		reasons = append(reasons, "templates changed: "+enumerate(objects))
	}
	return strings.Join(reasons, "; ")
}

func chartChange(have, next release.ChartVersion) string {
	switch {
	case have.Name != next.Name:
		return fmt.Sprintf("chart %s %s → %s %s", have.Name, have.Version, next.Name, next.Version)
	case have.Version != next.Version:
		return fmt.Sprintf("chart %s → %s", have.Version, next.Version)
	default:
		return ""
	}
}

// changedObjects lists, in order, the names of objects that differ or that only one of the manifests has.
func changedObjects(have, next release.Manifest) []string {
	before, after := byKey(have), byKey(next)
	changed := map[release.ObjectKey]bool{}
	for key, object := range before {
		if other, ok := after[key]; !ok || !reflect.DeepEqual(object, other) {
			changed[key] = true
		}
	}
	for key := range after {
		if _, ok := before[key]; !ok {
			changed[key] = true
		}
	}
	keys := slices.SortedFunc(maps.Keys(changed), release.ObjectKey.Compare)
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = key.String()
	}
	return slices.Compact(names) // an object with a new API version has two keys and one name
}

func byKey(manifest release.Manifest) map[release.ObjectKey]release.Object {
	objects := make(map[release.ObjectKey]release.Object, len(manifest))
	for _, object := range manifest {
		objects[object.ObjectKey] = object
	}
	return objects
}

// changedPaths lists, in order, the dotted paths at which two sets of values differ. It never returns a value, because values
// may be secret.
func changedPaths(have, next map[string]any) []string {
	var paths []string
	collectChangedPaths(&paths, "", normalizeJSON(have), normalizeJSON(next))
	slices.Sort(paths)
	return paths
}

func collectChangedPaths(paths *[]string, path string, have, next any) {
	before, isMap := have.(map[string]any)
	after, bothMaps := next.(map[string]any)
	if !isMap || !bothMaps {
		if !reflect.DeepEqual(have, next) {
			*paths = append(*paths, path)
		}
		return
	}
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	for key := range keys {
		below := strings.TrimPrefix(path+"."+key, ".")
		if hasKey(before, key) != hasKey(after, key) {
			*paths = append(*paths, below) // also if it is null: a null removes a default of the chart
			continue
		}
		collectChangedPaths(paths, below, before[key], after[key])
	}
}

func hasKey(values map[string]any, key string) bool {
	_, ok := values[key]
	return ok
}

// normalizeJSON gives values the types that JSON decoding gives. So they can be compared with values from Helm's storage.
func normalizeJSON(values map[string]any) any {
	encoded, err := json.Marshal(values)
	if err != nil {
		return values // JSON cannot hold these values, so Helm never stored them: they differ
	}
	var decoded any
	if err := json.Unmarshal(encoded, &decoded); err != nil || decoded == nil {
		return map[string]any{}
	}
	return decoded
}

func enumerate(names []string) string {
	if len(names) <= maxNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), len(names)-maxNames)
}
