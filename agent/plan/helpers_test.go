package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

var (
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	policy = Policy{Instance: "mine", Origin: "origin", Commit: commit, AbandonedAfter: 10 * time.Minute,
		Prune: Pruning{Mode: TwoStep, MaxShare: 100}}
)

const (
	commit  = "3f2a9c1d5e6b7a8990aabbccddeeff0011223344"
	earlier = "0123456789abcdef0123456789abcdef01234567"
)

// key parses "namespace/name". A name alone is in namespace shop.
func key(s string) release.Key {
	namespace, name, ok := strings.Cut(s, "/")
	if !ok {
		return release.Key{Namespace: "shop", Name: s}
	}
	return release.Key{Namespace: namespace, Name: name}
}

func want(name string, state release.DesiredState, needs ...string) release.Desired {
	d := release.Desired{Key: key(name), State: state}
	for _, need := range needs {
		d.Needs = append(d.Needs, key(need))
	}
	return d
}

// atStage moves the release to the state file at that position.
func atStage(stage int, d release.Desired) release.Desired {
	d.Stage = stage
	return d
}

// have is an installed release. This instance owns it and wrote its record: revision 7, chart web 1.2.3, one object.
func have(name, status string) release.Observed {
	return release.Observed{
		Key: key(name), Revision: 7, Status: status, Updated: noon.Add(-time.Hour),
		Owner:    release.Owner{Instance: "mine", Origin: "origin"},
		Chart:    release.ChartVersion{Name: "web", Version: "1.2.3"},
		Values:   map[string]any{"replicaCount": 1.0},
		Manifest: release.Manifest{deployment(1)},
		Trusted:  true,

		Operation: operations[status],
	}
}

// operations are what a pending status says.
var operations = map[string]release.Operation{
	"pending-install": release.Installing, "pending-upgrade": release.Upgrading, "pending-rollback": release.RollingBack, "uninstalling": release.Uninstalling,
}

// ownedBy changes the owner of the release. An empty instance means that no instance owns it.
func ownedBy(instance string, o release.Observed) release.Observed {
	o.Owner = release.Owner{Instance: instance, Origin: "origin"}
	return o
}

// marked is the mark of a release of [have]. An earlier commit set it, that long ago.
func marked(name string, age time.Duration) release.Mark {
	h := have(name, "deployed")
	return release.Mark{Key: h.Key, Since: noon.Add(-age), Commit: earlier, Origin: "origin", Runs: 1, Deployed: h.Updated}
}

func stateWithMarks(all ...release.Mark) release.InstanceState {
	return release.InstanceState{Marks: all}
}

// next is the rendered revision of a release. It equals the release of [have].
func next(name string) release.Rendered {
	h := have(name, "deployed")
	return release.Rendered{Key: h.Key, Chart: h.Chart, Values: h.Values, Manifest: h.Manifest}
}

func deployment(replicas int) release.Object {
	return object("apps/v1", "Deployment/web", map[string]any{"replicas": replicas})
}

func object(version, name string, content map[string]any) release.Object {
	kind, name, _ := strings.Cut(name, "/")
	return release.Object{ObjectKey: release.ObjectKey{APIVersion: version, Kind: kind, Name: name}, Content: content}
}

// reasons shows the plan as lines "name: verb: why".
func reasons(p Plan) []string {
	var lines []string
	for _, s := range p.Steps {
		lines = append(lines, fmt.Sprintf("%s: %s: %s", s.Name, s.Verb, s.Why))
	}
	return lines
}

// order shows the plan as lines "phase verb key after … needs …". Empty parts are left out.
func order(p Plan) []string {
	var lines []string
	for _, s := range p.Steps {
		line := fmt.Sprintf("%d %s %s", s.Phase, s.Verb, s.Key)
		lines = append(lines, line+keyList(" after", s.After)+keyList(" needs", s.Needs))
	}
	return lines
}

func keyList(word string, keys []release.Key) string {
	for _, k := range keys {
		word += " " + k.String()
	}
	if len(keys) == 0 {
		return ""
	}
	return word
}
