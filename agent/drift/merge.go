package drift

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// merger lays what the manifest says over the live object. What comes out is the live object itself wherever they agree.
type merger struct {
	live   map[string]any
	owners *owners
}

func (m merger) object(want, live map[string]any, s schema, path []string) map[string]any {
	merged := make(map[string]any, len(live))
	maps.Copy(merged, live)
	changed := false
	for key, wanted := range want {
		value, keep := m.value(wanted, live[key], s.field(key), append(slices.Clip(path), key))
		if keep || reflect.DeepEqual(value, live[key]) {
			continue
		}
		merged[key], changed = value, true
	}
	if changed && s.retainsKeys {
		maps.DeleteFunc(merged, func(key string, _ any) bool { _, wanted := want[key]; return !wanted })
	}
	return merged
}

// value is the merged one; keep says that the live one is good as it is, if only because there is none.
func (m merger) value(want, live any, s schema, path []string) (merged any, keep bool) {
	switch wanted := want.(type) {
	case omitted:
		return m.omitted(wanted.value, live, s, path)
	case map[string]any:
		if there, ok := live.(map[string]any); ok {
			return m.object(wanted, there, s, path), false
		}
		return whole(wanted), false
	case []any:
		there, _ := live.([]any)
		if len(wanted) == 0 && len(there) == 0 {
			return nil, true
		}
		return m.list(wanted, there, s, path), false
	default:
		return want, s.same(want, live)
	}
}

// omitted agrees with what is not there, and with what the API server chose in its place.
func (m merger) omitted(zero, live any, s schema, path []string) (merged any, keep bool) {
	if isZero(live) || m.owners.ours(path) {
		return nil, true
	}
	switch wanted := zero.(type) {
	case map[string]any:
		return nil, true // whatever is there was added by others
	case []any:
		there, _ := live.([]any)
		return m.list(wanted, there, s, path), false
	default:
		return zero, false
	}
}

func (m merger) list(want, live []any, s schema, path []string) any {
	switch {
	case s.mergeKey != "" && haveKey(want, s.mergeKey) && haveKey(live, s.mergeKey):
		return m.keyed(want, live, s, path)
	case s.merges && s.mergeKey == "":
		return union(want, live)
	default:
		return m.atomic(want, live, s, path)
	}
}

// keyed merges elements that have the same key. A key may occur twice, as the number of a port does that has two protocols:
// then those belong together that agree. And an element may have got another key: then it is known by its name.
func (m merger) keyed(want, live []any, s schema, path []string) []any {
	merged := slices.Clone(live)
	p := pairing{want: want, taken: make([]bool, len(live)), partner: make([]int, len(want))}
	for i := range p.partner {
		p.partner[i] = -1
	}
	sameKey := func(wanted, there any) bool { return reflect.DeepEqual(of(wanted, s.mergeKey), of(there, s.mergeKey)) }
	element := func(wanted any, i int) any { return m.element(wanted, live[i], i, s, path) }
	p.pair(func(wanted any, i int) bool {
		return sameKey(wanted, live[i]) && reflect.DeepEqual(live[i], element(wanted, i))
	})
	p.pair(func(wanted any, i int) bool { return sameKey(wanted, live[i]) })
	if s.named() {
		p.pair(func(wanted any, i int) bool { return reflect.DeepEqual(of(wanted, "name"), of(live[i], "name")) })
	}
	for i, wanted := range want {
		if j := p.partner[i]; j >= 0 {
			merged[j] = element(wanted, j)
		} else {
			merged = append(merged, whole(wanted))
		}
	}
	return merged
}

// pairing finds a live element for each wanted one, no two the same.
type pairing struct {
	want    []any
	taken   []bool // by live element
	partner []int  // by wanted element; -1 for none
}

// pair matches what has no partner yet.
func (p *pairing) pair(match func(wanted any, live int) bool) {
	for i, wanted := range p.want {
		for j := range p.taken {
			if p.partner[i] < 0 && !p.taken[j] && match(wanted, j) {
				p.partner[i], p.taken[j] = j, true
			}
		}
	}
}

func of(element any, key string) any {
	object, _ := element.(map[string]any)
	return object[key]
}

// atomic lists are one value: others may not add to them. What the API server has added to what the manifest says, such as
// defaults in each element, is recognized by nobody else having written the list.
func (m merger) atomic(want, live []any, s schema, path []string) any {
	if m.within(want, live, s, path, true) || m.owners.ours(path) && m.within(want, live, s, path, false) {
		return live
	}
	return whole(want)
}

// within says whether every wanted element has its like in the live list, in the same order: exactly, or with additions.
func (m merger) within(want, live []any, s schema, path []string, exactly bool) bool {
	if exactly {
		return reflect.DeepEqual(whole(want), any(live))
	}
	next := 0
	for _, wanted := range want {
		for next < len(live) && !reflect.DeepEqual(live[next], m.element(wanted, live[next], next, s, path)) {
			next++
		}
		if next++; next > len(live) {
			return false
		}
	}
	return true
}

func (m merger) element(want, live any, i int, s schema, path []string) any {
	merged, keep := m.value(want, live, s.element(), append(slices.Clip(path), strconv.Itoa(i)))
	if keep {
		return live
	}
	return merged
}

func haveKey(list []any, key string) bool {
	return !slices.ContainsFunc(list, func(element any) bool {
		object, ok := element.(map[string]any)
		return !ok || object[key] == nil
	})
}

func union(want, live []any) []any {
	merged := slices.Clone(live)
	for _, wanted := range want {
		if !slices.ContainsFunc(live, func(there any) bool { return reflect.DeepEqual(there, wanted) }) {
			merged = append(merged, wanted)
		}
	}
	return merged
}

// whole is a value as it is sent when there is nothing to merge it with.
func whole(value any) any {
	switch node := value.(type) {
	case omitted:
		return node.value
	case map[string]any:
		result := make(map[string]any, len(node))
		for key, child := range node {
			if _, unsaid := child.(omitted); !unsaid {
				result[key] = whole(child)
			}
		}
		return result
	case []any:
		result := make([]any, len(node))
		for i, child := range node {
			result[i] = whole(child)
		}
		return result
	default:
		return value
	}
}
