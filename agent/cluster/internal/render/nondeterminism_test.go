package render

import (
	"errors"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestByChance(t *testing.T) {
	const (
		one   = "{kind: ConfigMap, metadata: {name: dice}, data: {thrown: one, sides: six}}"
		two   = "{kind: ConfigMap, metadata: {name: dice}, data: {thrown: two, sides: six}}"
		three = "{kind: ConfigMap, metadata: {name: dice}, data: {thrown: three, sides: six}}"
	)
	for name, tt := range map[string]struct {
		last, made, other string
		want              bool
	}{
		"a value that is another each time":            {one, two, three, true},
		"nothing differs: nothing to forgive":          {one, one, one, false},
		"a value that has changed once":                {one, two, two, false},
		"a random value, and another that has changed": {one, "{kind: ConfigMap, metadata: {name: dice}, data: {thrown: two, sides: ten}}", "{kind: ConfigMap, metadata: {name: dice}, data: {thrown: three, sides: ten}}", false},
		"a random value, and a new one beside it":      {one, "{kind: ConfigMap, metadata: {name: dice}, data: {thrown: two, sides: six, new: x}}", "{kind: ConfigMap, metadata: {name: dice}, data: {thrown: three, sides: six, new: x}}", false},
		"a random value, and one that is gone":         {one, "{kind: ConfigMap, metadata: {name: dice}, data: {thrown: two}}", "{kind: ConfigMap, metadata: {name: dice}, data: {thrown: three}}", false},
		"a random key is no chance that can be told":   {"{data: {a: x}}", "{data: {b: x}}", "{data: {c: x}}", false},
		"a random name":                                 {"{kind: Job, metadata: {name: a}}", "{kind: Job, metadata: {name: b}}", "{kind: Job, metadata: {name: c}}", true},
		"a random item of a list":                       {"{spec: {args: [a, b]}}", "{spec: {args: [a, c]}}", "{spec: {args: [a, d]}}", true},
		"a random item, and the list has become longer": {"{spec: {args: [a, b]}}", "{spec: {args: [a, c, e]}}", "{spec: {args: [a, d, e]}}", false},
		"a scalar that becomes a map":                   {"{spec: {args: b}}", "{spec: {args: {a: c}}}", "{spec: {args: {a: d}}}", false},
	} {
		t.Run(name, func(t *testing.T) {
			other := manifest(t, tt.other)
			if got := isNondeterministic(manifest(t, tt.last), manifest(t, tt.made), func() (release.Manifest, error) { return other, nil }); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
	t.Run("what cannot be rendered again has changed", func(t *testing.T) {
		fails := func() (release.Manifest, error) { return nil, errors.New("no") }
		if isNondeterministic(manifest(t, one), manifest(t, two), fails) {
			t.Error("forgiven")
		}
	})
}

func manifest(t *testing.T, document string) release.Manifest {
	t.Helper()
	var content map[string]any
	if err := yaml.Unmarshal([]byte(document), &content); err != nil {
		t.Fatal(err)
	}
	return release.Manifest{{Content: content}}
}
