package agent

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/helmfile-agent/helmfile-agent/agent"

// rooms are the packages below agent with the rooms that each may import: those to its left in the flow. Nothing else
// may be added to a row without thinking about docs/architecture.md.
var rooms = map[string][]string{
	"exit":    {},
	"egress":  {},
	"release": {},
	"lookup":  {},
	"config":  {"exit", "egress", "release"},
	"source":  {"exit", "config"},
	"secrets": {"exit"},
	"chart":   {"exit", "egress", "release"},
	"broker":  {"exit", "release"},
	"sandbox": {},
	"tool":    {"exit", "release", "chart", "broker", "sandbox"},
	"desired": {"exit", "release", "egress", "secrets", "chart", "broker", "desired/protocol", "desired/loader"},

	// These run in the process that reads the helmfile.
	"desired/protocol": {"exit", "release"},
	"desired/loader":   {"exit", "release", "secrets", "chart", "broker", "sandbox", "desired/protocol"},

	"drift": {"release"},
	"cluster": {"exit", "release", "chart", "cluster/internal/kube", "cluster/internal/history", "cluster/internal/render", "cluster/internal/live",
		"cluster/internal/rbac", "cluster/internal/action", "cluster/internal/state"},
	"cluster/internal/kube":    {"exit", "release", "lookup"},
	"cluster/internal/history": {"release", "cluster/internal/kube"},
	"cluster/internal/options": {"release", "cluster/internal/history"},
	"cluster/internal/render":  {"release", "chart", "cluster/internal/kube", "cluster/internal/history", "cluster/internal/options"},
	"cluster/internal/live":    {"release", "drift", "cluster/internal/kube", "cluster/internal/history"},
	"cluster/internal/rbac":    {"exit", "release", "cluster/internal/kube", "cluster/internal/history"},
	"cluster/internal/action":  {"exit", "release", "chart", "cluster/internal/kube", "cluster/internal/history", "cluster/internal/options"},
	"cluster/internal/state":   {"exit", "release", "cluster/internal/kube"},

	"plan":   {"release"},
	"apply":  {"release", "plan"},
	"report": {"exit", "release", "source", "plan", "apply"},
	".":      {"exit", "egress", "release", "config", "source", "secrets", "chart", "desired", "cluster", "plan", "apply", "report"},
}

// doors are the libraries that only some rooms may import: who wants what they offer asks those rooms.
var doors = map[string][]string{
	"github.com/go-git/":             {"source"},
	"github.com/getsops/":            {"secrets"},
	"github.com/helmfile/helmfile":   {"desired/loader"},
	"github.com/spf13/cobra":         {"tool"},
	"helm.sh/helm/v3":                {"chart", "cluster/internal", "tool", "desired/loader"}, // the loader merges values as Helm's command line does
	"k8s.io/client-go":               {"cluster/internal", "tool", "drift"},                   // drift needs the Go types of objects
	"k8s.io/cli-runtime":             {"cluster/internal", "tool"},
	"sigs.k8s.io/kustomize":          {"tool"},
	"github.com/aymanbagabas/go-udi": {"report"},
}

func TestRooms(t *testing.T) {
	found := map[string]bool{}
	for room, imports := range importsByRoom(t) {
		found[room] = true
		allowed, known := rooms[room]
		if !known {
			t.Errorf("agent/%s is no room: give it a row in this test and in docs/architecture.md", room)
		}
		for imported, file := range imports {
			if neighbour, ours := strings.CutPrefix(imported, module+"/"); ours && !slices.Contains(allowed, neighbour) {
				t.Errorf("%s: agent/%s may not import agent/%s, which is not to its left", file, room, neighbour)
			}
			for door, keepers := range doors {
				if strings.HasPrefix(imported, door) && !slices.ContainsFunc(keepers, func(keeper string) bool {
					return room == keeper || strings.HasSuffix(keeper, "/internal") && strings.HasPrefix(room, keeper+"/")
				}) {
					t.Errorf("%s: agent/%s may not import %s: only %v may", file, room, imported, keepers)
				}
			}
		}
	}
	for room := range rooms {
		if !found[room] {
			t.Errorf("agent/%s does not exist any more: remove its row", room)
		}
	}
}

// importsByRoom maps each room to the import paths of its files, tests left out, each with a file that has it.
func importsByRoom(t *testing.T) map[string]map[string]string {
	t.Helper()
	byRoom := map[string]map[string]string{}
	err := fs.WalkDir(os.DirFS("."), ".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		room := path.Dir(file)
		if byRoom[room] == nil {
			byRoom[room] = map[string]string{}
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			byRoom[room][imported] = file
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return byRoom
}
