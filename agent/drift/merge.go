package drift

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// merger merges the manifest into the live object. Where both agree, the result has the live value.
type merger struct {
	live          map[string]any
	managedFields *managedFields
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

// value merges one value. If keep is true, the live value is correct, and merged is not used. This is also the case when the value
// is rightly absent.
func (m merger) value(want, live any, s schema, path []string) (merged any, keep bool) {
	switch wanted := want.(type) {
	case zeroValue:
		return m.zeroValue(wanted.value, live, s, path)
	case map[string]any:
		if liveValue, ok := live.(map[string]any); ok {
			return m.object(wanted, liveValue, s, path), false
		}
		return withoutZeroValues(wanted), false
	case []any:
		liveValue, _ := live.([]any)
		if len(wanted) == 0 && len(liveValue) == 0 {
			return nil, true
		}
		return m.list(wanted, liveValue, s, path), false
	default:
		return want, s.same(want, live)
	}
}

// zeroValue merges a zero value from the manifest. It is equal to an absent value, and to a value that the API server chose for it.
func (m merger) zeroValue(zero, live any, s schema, path []string) (merged any, keep bool) {
	if isZero(live) || m.managedFields.onlyHelmWrote(path) {
		return nil, true
	}
	switch wanted := zero.(type) {
	case map[string]any:
		return nil, true // other clients added the live fields
	case []any:
		liveValue, _ := live.([]any)
		return m.list(wanted, liveValue, s, path), false
	default:
		return zero, false
	}
}

func (m merger) list(want, live []any, s schema, path []string) any {
	switch {
	case s.mergeKey != "" && haveKey(want, s.mergeKey) && haveKey(live, s.mergeKey):
		return m.mergeByKey(want, live, s, path)
	case s.merges && s.mergeKey == "":
		return union(want, live)
	default:
		return m.replaceList(want, live, s, path)
	}
}

// mergeByKey merges elements that have the same key. A key may occur twice: two ports can have the same number with different
// protocols. So it first pairs equal elements, then elements with the same key. At last it pairs elements with the same name,
// because an edit may have changed the key.
func (m merger) mergeByKey(want, live []any, s schema, path []string) []any {
	merged := slices.Clone(live)
	p := pairing{want: want, taken: make([]bool, len(live)), partner: make([]int, len(want))}
	for i := range p.partner {
		p.partner[i] = -1
	}
	sameKey := func(wanted, liveValue any) bool {
		return reflect.DeepEqual(fieldOf(wanted, s.mergeKey), fieldOf(liveValue, s.mergeKey))
	}
	element := func(wanted any, i int) any { return m.element(wanted, live[i], i, s, path) }
	p.pair(func(wanted any, i int) bool {
		return sameKey(wanted, live[i]) && reflect.DeepEqual(live[i], element(wanted, i))
	})
	p.pair(func(wanted any, i int) bool { return sameKey(wanted, live[i]) })
	if s.hasNames() {
		p.pair(func(wanted any, i int) bool {
			return reflect.DeepEqual(fieldOf(wanted, "name"), fieldOf(live[i], "name"))
		})
	}
	for i, wanted := range want {
		if j := p.partner[i]; j >= 0 {
			merged[j] = element(wanted, j)
		} else {
			merged = append(merged, withoutZeroValues(wanted))
		}
	}
	return merged
}

// pairing assigns to each wanted element at most one live element.
type pairing struct {
	want    []any
	taken   []bool // for each live element
	partner []int  // for each wanted element the index of its live element, or -1
}

// pair assigns live elements to wanted elements that have none yet.
func (p *pairing) pair(match func(wanted any, live int) bool) {
	for i, wanted := range p.want {
		for j := range p.taken {
			if p.partner[i] < 0 && !p.taken[j] && match(wanted, j) {
				p.partner[i], p.taken[j] = j, true
			}
		}
	}
}

func fieldOf(element any, key string) any {
	object, _ := element.(map[string]any)
	return object[key]
}

// replaceList treats the list as one value, to which other clients may not add elements. It still accepts additions by the API
// server, such as defaults in each element: in that case only Helm has written the list.
func (m merger) replaceList(want, live []any, s schema, path []string) any {
	if m.contains(want, live, s, path, true) || m.managedFields.onlyHelmWrote(path) && m.contains(want, live, s, path, false) {
		return live
	}
	return withoutZeroValues(want)
}

// contains says whether the live list has all wanted elements in the same order. Unless exactly is set, the live list and its
// elements may have additions.
func (m merger) contains(want, live []any, s schema, path []string, exactly bool) bool {
	if exactly {
		return reflect.DeepEqual(withoutZeroValues(want), any(live))
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
		if !slices.ContainsFunc(live, func(element any) bool { return reflect.DeepEqual(element, wanted) }) {
			merged = append(merged, wanted)
		}
	}
	return merged
}

// withoutZeroValues is the value to send if there is no live value. In maps it leaves out zero values.
func withoutZeroValues(value any) any {
	switch node := value.(type) {
	case zeroValue:
		return node.value
	case map[string]any:
		result := make(map[string]any, len(node))
		for key, child := range node {
			if _, isZero := child.(zeroValue); !isZero {
				result[key] = withoutZeroValues(child)
			}
		}
		return result
	case []any:
		result := make([]any, len(node))
		for i, child := range node {
			result[i] = withoutZeroValues(child)
		}
		return result
	default:
		return value
	}
}
