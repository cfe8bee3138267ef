package kube

import (
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestAnObjectBelongsToOneRelease(t *testing.T) {
	key := release.Key{Namespace: "shop", Name: "web"}
	for name, test := range map[string]struct {
		annotations map[string]string
		want        bool
	}{
		"its own":               {map[string]string{NameAnnotation: "web", NamespaceAnnotation: "shop"}, true},
		"another release's":     {map[string]string{NameAnnotation: "db", NamespaceAnnotation: "shop"}, false},
		"another namespace's":   {map[string]string{NameAnnotation: "web", NamespaceAnnotation: "data"}, false},
		"without a namespace":   {map[string]string{NameAnnotation: "web"}, false},
		"without an annotation": {nil, false},
	} {
		if got := BelongsTo(test.annotations, key); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
