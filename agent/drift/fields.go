package drift

import (
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Fields lists the fields that differ between the live and the corrected object, and the client that wrote each of them. Confirmed
// is the result of a dry run of the correction. If the dry run does not change a field, the API server only writes the value in
// another form, and the field is left out. If no field remains, there is no drift.
func Fields(live, corrected, confirmed map[string]any) []release.Field {
	before, after := strip(live), strip(confirmed)
	var suspected, fields []release.Field
	walk(&suspected, "", before, strip(corrected))
	for _, field := range suspected {
		path := splitPointer(field.Path)
		field.Live, field.Want = valueAt(before, path), valueAt(after, path)
		if !reflect.DeepEqual(field.Live, field.Want) {
			fields = append(fields, field)
		}
	}
	managed := &managedFields{live: live}
	for i := range fields {
		fields[i].Manager, fields[i].Since = managed.lastWriter(splitPointer(fields[i].Path))
	}
	return fields
}

// strip removes the fields that the API server sets.
func strip(object map[string]any) map[string]any {
	stripped := maps.Clone(object)
	delete(stripped, "status")
	if metadata, ok := object["metadata"].(map[string]any); ok {
		metadata = maps.Clone(metadata)
		for _, name := range serverFields {
			delete(metadata, name)
		}
		stripped["metadata"] = metadata
	}
	return stripped
}

// walk collects the paths at which the two values differ.
func walk(fields *[]release.Field, path string, live, want any) {
	if reflect.DeepEqual(live, want) {
		return
	}
	before, beforeIsMap := live.(map[string]any)
	after, afterIsMap := want.(map[string]any)
	if beforeIsMap && afterIsMap {
		keys := maps.Clone(before)
		maps.Copy(keys, after)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			walk(fields, path+"/"+escape.Replace(key), before[key], after[key])
		}
		return
	}
	old, oldIsList := live.([]any)
	list, isList := want.([]any)
	if oldIsList && isList && len(old) == len(list) {
		for i := range list {
			walk(fields, path+"/"+strconv.Itoa(i), old[i], list[i])
		}
		return
	}
	*fields = append(*fields, release.Field{Path: path, Want: want, Live: live})
}
