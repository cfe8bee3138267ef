package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/aymanbagabas/go-udiff"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// nowhere is where an object is on the side that does not have it, as in any other unified diff.
const nowhere = "/dev/null"

// pair is one object in both manifests; its content is nil where it is missing.
type pair struct {
	identity
	stored, rendered map[string]any
}

// identity tells which objects of two manifests are the same one. A hook may share its name with an object that is none,
// and a careless chart may render an object twice.
type identity struct {
	release.ObjectKey
	hook bool
	nth  int
}

func (i identity) compare(other identity) int {
	return cmp.Or(i.ObjectKey.Compare(other.ObjectKey), cmp.Compare(marked(i.hook), marked(other.hook)), cmp.Compare(i.nth, other.nth))
}

// pairs are all objects of either manifest in the canonical order.
func pairs(stored, rendered release.Manifest, namespace string) []pair {
	before, after := identified(stored, namespace), identified(rendered, namespace)
	all := maps.Clone(before)
	maps.Copy(all, after)
	var pairs []pair
	for _, id := range slices.SortedFunc(maps.Keys(all), identity.compare) {
		pairs = append(pairs, pair{id, before[id], after[id]})
	}
	return pairs
}

// identified is the content of each object. To name the release's own namespace is the same as to name none.
func identified(manifest release.Manifest, namespace string) map[identity]map[string]any {
	contents := make(map[identity]map[string]any, len(manifest))
	for _, object := range manifest {
		id := identity{ObjectKey: object.ObjectKey, hook: object.Hook}
		if id.Namespace == namespace {
			id.Namespace = ""
		}
		for contents[id] != nil {
			id.nth++
		}
		contents[id] = object.Content
	}
	return contents
}

// unified is the unified diff of the pair, empty when nothing differs.
func (p pair) unified(of release.Key) (string, error) {
	stored, rendered := maskSecrets(p.stored, p.rendered)
	before, err := text(stored)
	if err != nil {
		return "", fmt.Errorf("stored %s: %w", p.ObjectKey, err)
	}
	after, err := text(rendered)
	if err != nil {
		return "", fmt.Errorf("rendered %s: %w", p.ObjectKey, err)
	}
	label := oneLine(fmt.Sprintf("%s (%s%s)", p.ObjectKey, of, marked(p.hook)))
	return udiff.ToUnified(
		side(label+" stored", stored), side(label+" rendered", rendered),
		before, udiff.Lines(before, after), udiff.DefaultContextLines)
}

func marked(hook bool) string {
	if hook {
		return ", hook"
	}
	return ""
}

func side(label string, content map[string]any) string {
	if content == nil {
		return nowhere
	}
	return label
}

// text is the object as YAML with its keys in order.
func text(content map[string]any) (string, error) {
	if content == nil {
		return "", nil
	}
	out, err := yaml.Marshal(content)
	return string(out), err
}
