package drift

import (
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Fields lists where the live object differs from what it would be when corrected, with who wrote it. Confirmed is the object
// that the API server makes of the correction: what it makes the same as before, it only spells in its own way. No fields
// are no drift.
func Fields(live, corrected, confirmed map[string]any) []release.Field {
	before, after := strip(live), strip(confirmed)
	var suspected, fields []release.Field
	walk(&suspected, "", before, strip(corrected))
	for _, field := range suspected {
		path := split(field.Path)
		field.Live, field.Want = follow(before, path), follow(after, path)
		if !reflect.DeepEqual(field.Live, field.Want) {
			fields = append(fields, field)
		}
	}
	o := &owners{live: live}
	for i := range fields {
		fields[i].Manager, fields[i].Since = o.writer(split(fields[i].Path))
	}
	return fields
}

// strip leaves out what the API server counts and keeps by itself.
func strip(object map[string]any) map[string]any {
	stripped := maps.Clone(object)
	delete(stripped, "status")
	if metadata, ok := object["metadata"].(map[string]any); ok {
		metadata = maps.Clone(metadata)
		for _, own := range kept {
			delete(metadata, own)
		}
		stripped["metadata"] = metadata
	}
	return stripped
}

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
