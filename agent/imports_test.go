package agent

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/helmfile-agent/helmfile-agent/agent"

// allowedImports says which packages below agent each package below agent may import. docs/architecture.md has the same
// table: change both.
var allowedImports = map[string][]string{
	"exit":     {},
	"egress":   {},
	"release":  {},
	"lookup":   {},
	"child":    {},
	"config":   {"exit", "egress", "release", "config/internal/settings"},
	"source":   {"exit", "egress", "config", "source/revision", "source/limits"},
	"secrets":  {"exit"},
	"mask":     {},
	"broker":   {"exit", "release"},
	"sandbox":  {},
	"render":   {"egress", "broker", "child", "sandbox"},
	"helmshim": {"child", "release", "chart", "broker", "sandbox"},
	"desired":  {"exit", "release", "egress", "secrets", "mask", "chart", "broker", "child", "desired/protocol", "desired/loader"},

	"chart": {"egress", "release", "chart/internal/charterrors", "chart/internal/limits", "chart/internal/digest", "chart/internal/once", "chart/internal/archive", "chart/internal/schema",
		"chart/internal/files", "chart/internal/trust", "chart/internal/repositories", "chart/internal/chartrepo", "chart/internal/oci", "chart/internal/download", "chart/internal/dependencies"},
	"chart/internal/charterrors":  {},
	"chart/internal/limits":       {},
	"chart/internal/digest":       {},
	"chart/internal/once":         {},
	"chart/internal/archive":      {"chart/internal/limits"},
	"chart/internal/schema":       {"chart/internal/charterrors"},
	"chart/internal/files":        {"chart/internal/limits", "chart/internal/once", "chart/internal/archive"},
	"chart/internal/trust":        {"release", "chart/internal/limits", "chart/internal/files"},
	"chart/internal/repositories": {"release"},
	"chart/internal/chartrepo":    {"egress", "release", "chart/internal/charterrors", "chart/internal/limits", "chart/internal/digest", "chart/internal/once", "chart/internal/trust"},
	"chart/internal/oci":          {"egress", "release", "chart/internal/archive", "chart/internal/charterrors", "chart/internal/digest", "chart/internal/limits", "chart/internal/once", "chart/internal/trust", "chart/internal/repositories"},
	"chart/internal/download":     {"release", "chart/internal/archive", "chart/internal/charterrors", "chart/internal/digest", "chart/internal/limits", "chart/internal/once", "chart/internal/trust", "chart/internal/repositories", "chart/internal/chartrepo", "chart/internal/oci"},
	"chart/internal/dependencies": {"release", "chart/internal/archive", "chart/internal/charterrors", "chart/internal/digest", "chart/internal/limits", "chart/internal/once", "chart/internal/files", "chart/internal/repositories", "chart/internal/chartrepo", "chart/internal/oci", "chart/internal/download"},
	"chart/internal/charttest":    {}, // only tests import it

	"config/internal/settings": {"exit"},

	// It holds only a type, so that the report can name a commit without importing go-git.
	"source/revision": {},

	"source/limits": {"exit"},

	// These run in the process that reads the helmfile.
	"desired/protocol": {"exit", "release", "child"},
	"desired/loader":   {"exit", "broker", "child", "sandbox", "desired/protocol", "desired/loader/internal/states"},

	"desired/loader/internal/parts":       {},
	"desired/loader/internal/unsupported": {"desired/loader/internal/parts"},
	"desired/loader/internal/files":       {"sandbox", "desired/loader/internal/unsupported"},
	"desired/loader/internal/decryption":  {"secrets", "broker"},
	"desired/loader/internal/references":  {"desired/loader/internal/decryption"},
	"desired/loader/internal/recorder":    {"release", "chart", "desired/loader/internal/unsupported", "desired/loader/internal/decryption"},
	"desired/loader/internal/messages":    {"exit", "secrets", "desired/loader/internal/parts"},
	"desired/loader/internal/states": {"exit", "release", "sandbox", "desired/protocol", "desired/loader/internal/unsupported", "desired/loader/internal/files",
		"desired/loader/internal/decryption", "desired/loader/internal/references", "desired/loader/internal/recorder", "desired/loader/internal/messages"},

	"drift": {"release"},
	"cluster": {"exit", "release", "chart", "cluster/internal/kube", "cluster/internal/history", "cluster/internal/templates", "cluster/internal/render", "cluster/internal/live",
		"cluster/internal/rbac", "cluster/internal/action", "cluster/internal/state"},
	"cluster/internal/kube":      {"exit", "release", "lookup"},
	"cluster/internal/history":   {"release", "cluster/internal/kube"},
	"cluster/internal/options":   {"release", "cluster/internal/history"},
	"cluster/internal/templates": {"release", "render", "cluster/internal/kube"},
	"cluster/internal/render":    {"release", "chart", "cluster/internal/kube", "cluster/internal/history", "cluster/internal/options", "cluster/internal/templates"},
	"cluster/internal/live":      {"release", "drift", "cluster/internal/kube", "cluster/internal/history"},
	"cluster/internal/rbac":      {"exit", "release", "cluster/internal/kube", "cluster/internal/history"},
	"cluster/internal/action":    {"exit", "release", "chart", "cluster/internal/kube", "cluster/internal/history", "cluster/internal/options", "cluster/internal/templates"},
	"cluster/internal/state":     {"exit", "release", "cluster/internal/kube"},

	"plan":   {"release"},
	"apply":  {"release", "plan"},
	"report": {"exit", "release", "source/revision", "plan", "apply", "report/internal/objectdiff", "report/internal/sanitize"},
	".":      {"exit", "egress", "release", "config", "source", "secrets", "mask", "chart", "desired", "cluster", "render", "plan", "apply", "report"},

	"report/internal/objectdiff": {"release", "report/internal/sanitize"},
	"report/internal/sanitize":   {},
}

// restrictedLibraries are libraries that only some packages below agent may import. All other packages call those packages instead.
var restrictedLibraries = map[string][]string{
	"github.com/go-git/":             {"source", "source/limits"},
	"github.com/getsops/":            {"secrets"},
	"github.com/helmfile/helmfile":   {"desired/loader/internal"},
	"github.com/spf13/cobra":         {"helmshim"},
	"helm.sh/helm/v3":                {"chart", "cluster/internal", "render", "helmshim", "chart/internal", "desired/loader/internal"}, // the loader merges values as Helm's command line does
	"k8s.io/client-go":               {"cluster/internal", "render", "helmshim", "drift"},                                              // drift needs the Go types of objects
	"k8s.io/cli-runtime":             {"cluster/internal", "helmshim"},
	"k8s.io/apiserver":               {"lookup"},
	"github.com/santhosh-tekuri/":    {"chart/internal/schema"},
	"sigs.k8s.io/kustomize":          {"helmshim"},
	"github.com/aymanbagabas/go-udi": {"report/internal"},
}

func TestImports(t *testing.T) {
	found := map[string]bool{}
	for pkg, imports := range importsByPackage(t) {
		found[pkg] = true
		allowed, known := allowedImports[pkg]
		if !known {
			t.Errorf("agent/%s has no row: add one to this test and to docs/architecture.md", pkg)
		}
		for path, file := range imports {
			if imported, ours := strings.CutPrefix(path, module+"/"); ours && !slices.Contains(allowed, imported) {
				t.Errorf("%s: agent/%s may not import agent/%s: its row does not list it", file, pkg, imported)
			}
			for library, users := range restrictedLibraries {
				if strings.HasPrefix(path, library) && !slices.ContainsFunc(users, func(user string) bool {
					return pkg == user || strings.HasPrefix(pkg, user+"/") && strings.HasSuffix(user, "/internal")
				}) {
					t.Errorf("%s: agent/%s may not import %s: only %v may", file, pkg, path, users)
				}
			}
		}
	}
	for pkg := range allowedImports {
		if !found[pkg] {
			t.Errorf("agent/%s does not exist any more: remove its row", pkg)
		}
	}
}

// TestPurePackages checks that some packages do not contain Helm, helmfile or go-git, not even through other packages. These
// packages only compute: their tests compile in seconds, and a change of those libraries does not affect them.
func TestPurePackages(t *testing.T) {
	for _, pkg := range []string{"plan", "drift", "report"} {
		output, err := exec.Command("go", "list", "-deps", "./"+pkg).Output()
		if err != nil {
			t.Fatalf("list the dependencies of agent/%s: %v", pkg, err)
		}
		dependencies := strings.Fields(string(output))
		if !slices.Contains(dependencies, module+"/release") {
			t.Errorf("agent/%s: go list did not list agent/release, which it imports", pkg)
		}
		for _, path := range dependencies {
			for _, library := range []string{"helm.sh/", "github.com/helmfile/", "github.com/go-git/"} {
				if strings.HasPrefix(path, library) {
					t.Errorf("agent/%s depends on %s", pkg, path)
				}
			}
		}
	}
}

// importsByPackage maps each package below agent to the import paths of its files, tests left out, each with a file that has it.
func importsByPackage(t *testing.T) map[string]map[string]string {
	t.Helper()
	byPackage := map[string]map[string]string{}
	err := fs.WalkDir(os.DirFS("."), ".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(file)
		if byPackage[pkg] == nil {
			byPackage[pkg] = map[string]string{}
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			byPackage[pkg][imported] = file
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return byPackage
}
