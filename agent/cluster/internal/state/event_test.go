package state

import (
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestAnEventIsNamedByAllThatItSays: the API server refuses a second Event of one name.
func TestAnEventIsNamedByAllThatItSays(t *testing.T) {
	web := release.Key{Namespace: "shop", Name: "web"}
	names := map[string]string{}
	for what, event := range map[string]release.Event{
		"the first":        {Key: web, Revision: 1, Reason: "Pruned", Message: "gone"},
		"another release":  {Key: release.Key{Namespace: "shop", Name: "db"}, Revision: 1, Reason: "Pruned", Message: "gone"},
		"another revision": {Key: web, Revision: 2, Reason: "Pruned", Message: "gone"},
		"another reason":   {Key: web, Revision: 1, Reason: "PruneMarked", Message: "gone"},
		"another message":  {Key: web, Revision: 1, Reason: "Pruned", Message: "gone again"},
	} {
		s := &Store{kube: &kube.Connection{Options: kube.Options{Instance: "agent"}}}
		name := s.event(event).Name
		if other, taken := names[name]; taken {
			t.Errorf("%s and %s have the same name %s", what, other, name)
		}
		if name != s.event(event).Name {
			t.Errorf("%s has two names", what)
		}
		names[name] = what
	}
}
