package objectdiff

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/aymanbagabas/go-udiff"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/report/internal/sanitize"
)

// devNull stands for a side that does not have the object, as in other unified diffs.
const devNull = "/dev/null"

// Pair is one object in both manifests. Its content is nil on the side that does not have it.
type Pair struct {
	identity
	stored, rendered map[string]any
}

// identity identifies an object in both manifests. A hook and an ordinary object may have the same key, and a chart may render an
// object twice by mistake.
type identity struct {
	release.ObjectKey
	hook       bool
	copyNumber int
}

func (i identity) compare(other identity) int {
	return cmp.Or(i.ObjectKey.Compare(other.ObjectKey), cmp.Compare(hookSuffix(i.hook), hookSuffix(other.hook)), cmp.Compare(i.copyNumber, other.copyNumber))
}

// Pairs lists the objects of both manifests, ordered by key.
func Pairs(stored, rendered release.Manifest, namespace string) []Pair {
	before, after := indexObjects(stored, namespace), indexObjects(rendered, namespace)
	all := maps.Clone(before)
	maps.Copy(all, after)
	var pairs []Pair
	for _, id := range slices.SortedFunc(maps.Keys(all), identity.compare) {
		pairs = append(pairs, Pair{id, before[id], after[id]})
	}
	return pairs
}

// indexObjects maps each object to its content. An object without a namespace is in the namespace of the release.
func indexObjects(manifest release.Manifest, namespace string) map[identity]map[string]any {
	contents := make(map[identity]map[string]any, len(manifest))
	for _, object := range manifest {
		id := identity{ObjectKey: object.ObjectKey, hook: object.Hook}
		if id.Namespace == namespace {
			id.Namespace = ""
		}
		for contents[id] != nil {
			id.copyNumber++
		}
		contents[id] = object.Content
	}
	return contents
}

// Unified is the unified diff of the pair; empty when the sides are equal.
func (p Pair) Unified(of release.Key) (string, error) {
	stored, rendered := maskSecrets(p.stored, p.rendered)
	before, err := text(stored)
	if err != nil {
		return "", fmt.Errorf("stored %s: %w", p.ObjectKey, err)
	}
	after, err := text(rendered)
	if err != nil {
		return "", fmt.Errorf("rendered %s: %w", p.ObjectKey, err)
	}
	label := sanitize.OneLine(fmt.Sprintf("%s (%s%s)", p.ObjectKey, of, hookSuffix(p.hook)))
	return udiff.ToUnified(
		sideLabel(label+" stored", stored), sideLabel(label+" rendered", rendered),
		before, udiff.Lines(before, after), udiff.DefaultContextLines)
}

func hookSuffix(hook bool) string {
	if hook {
		return ", hook"
	}
	return ""
}

func sideLabel(label string, content map[string]any) string {
	if content == nil {
		return devNull
	}
	return label
}

// text is the object as YAML with sorted keys.
func text(content map[string]any) (string, error) {
	if content == nil {
		return "", nil
	}
	out, err := yaml.Marshal(content)
	return string(out), err
}
