package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
)

// example is a small helmfile that helmfile and the agent both apply, each to a namespace of its own.
type example struct {
	repo   string   // the helmfile.yaml, then other files, each after a line "-- its/path --"; testdata/charts is in charts/
	then   []string // commits that follow, in the same form; both apply each of them
	path   string   // helmfile's --file and the agent's --path
	flags  []string // that both know by the same name
	env    []string // of both, besides NAMESPACE
	found  string   // the color in a ConfigMap "settings" that is there already
	signed bool     // there is a signedArchive in the repository
	fails  int      // the number of the commit, from 1, that neither can apply
	want   string   // what is then installed: name, revision, status and chart of each release
}

// TestSameAsHelmfile runs `helmfile sync`, with the real helmfile and helm, and the agent on the same files, and compares
// everything that Helm remembers of the two namespaces, and what is in them.
func TestSameAsHelmfile(t *testing.T) {
	t.Parallel()
	compareAll(t, stateExamples, valuesExamples, chartExamples, optionExamples)
}

func compareAll(t *testing.T, topics ...map[string]example) {
	places := serveCharts(t)
	for _, examples := range topics {
		for name, e := range examples {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				e.compare(t, places)
			})
		}
	}
}

func (e example) compare(t *testing.T, places *strings.Replacer) {
	byHelmfile, byAgent := e.twoNamespaces(t)
	base := e.base(t)
	repo, checkout := newRepository(t, base), t.TempDir()
	write(t, checkout, base)
	sync := func() result { return byHelmfile.run(checkout, "helmfile", e.arguments("--file", "sync")...) }
	run := func() result {
		return byAgent.run("", "helmfile-agent", e.arguments("--path", "run", "--namespace", byAgent.namespace, "--repo", repo.url)...)
	}
	for i, commit := range append([]string{e.repo}, e.then...) {
		files := sections(places.Replace(commit))
		repo.commit(t, files, "next")
		write(t, checkout, files)
		for _, r := range atOnce(sync, run) {
			if failed, should := r.code != 0, e.fails == i+1; failed != should {
				t.Fatalf("commit %d: failed is %t, not %t: %s", i+1, failed, should, r)
			}
		}
		if diff := cmp.Diff(look(t, byHelmfile.namespace), look(t, byAgent.namespace)); diff != "" {
			t.Errorf("commit %d: helmfile (-) and the agent (+) differ:\n%s", i+1, diff)
		}
	}
	if got := list(t, byAgent.namespace); got != e.want {
		t.Errorf("installed is %q, not %q", got, e.want)
	}
	if e.fails == 0 {
		before := look(t, byAgent.namespace)
		r := run()
		if diff := cmp.Diff(before, look(t, byAgent.namespace)); diff != "" {
			t.Errorf("a run with nothing to do did something:\n%s\n%s", diff, r)
		}
	}
}

func (e example) arguments(path string, first ...string) []string {
	if e.path != "" {
		first = append(first, path, e.path)
	}
	return append(first, e.flags...)
}

// base is what is in the repository before the first commit.
func (e example) base(t *testing.T) map[string]string {
	t.Helper()
	files := tree(t, "testdata")
	if e.signed {
		maps.Copy(files, signedArchive(t))
	}
	return files
}

// twoNamespaces are one for helmfile and one for the agent. The agent's kubeconfig leads to the other one by default: it
// must go by what it was told. helmfile is the administrator, because it lets helm create every namespace, which is
// refused to tenants even where the namespace exists.
func (e example) twoNamespaces(t *testing.T) (byHelmfile, byAgent tenant) {
	t.Helper()
	byAgent = newTenant(t)
	byHelmfile = bind(t, byAgent.namespace+"-cli", byAgent.user)
	byAgent.kubeconfig = byHelmfile.kubeconfig
	admin, err := control.Kubeconfig(cluster.Admin, byHelmfile.namespace)
	check(t, err)
	byHelmfile.kubeconfig = admin
	byHelmfile.env = []string{"PATH=" + pathWithKustomize(t)}
	for _, u := range []*tenant{&byHelmfile, &byAgent} {
		u.env = append(u.env, "NAMESPACE="+u.namespace)
		u.env = append(u.env, e.env...)
		if e.found != "" {
			createSettings(t, u.namespace, e.found)
		}
	}
	byAgent.env = append(byAgent.env, "HELMFILE_AGENT_TEMPLATE_ENV="+strings.Join(names(byAgent.env), ","))
	return byHelmfile, byAgent
}

// names are those of variables.
func names(env []string) []string {
	var all []string
	for _, variable := range env {
		name, _, _ := strings.Cut(variable, "=")
		all = append(all, name)
	}
	return all
}

// pathWithKustomize leads to the agent's kustomize: it is the same library as the real one's, which helmfile does not
// bring along.
func pathWithKustomize(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	check(t, os.Symlink(filepath.Join(binaries, "helmfile-agent"), filepath.Join(dir, "kustomize")))
	return strings.Join([]string{dir, binaries, os.Getenv("PATH")}, string(os.PathListSeparator))
}

// atOnce spares the tests that wait half of the time.
func atOnce(commands ...func() result) []result {
	results := make([]result, len(commands))
	var group sync.WaitGroup
	for i, command := range commands {
		group.Go(func() { results[i] = command() })
	}
	group.Wait()
	return results
}

// sections are the files in a text.
func sections(text string) map[string]string {
	files := map[string]string{}
	name := "helmfile.yaml"
	for line := range strings.Lines(strings.TrimPrefix(text, "\n")) {
		if header, found := strings.CutPrefix(line, "-- "); found {
			name = strings.TrimSuffix(header, " --\n")
			continue
		}
		files[name] += line
	}
	return files
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte(content), 0o644))
	}
}

// check ends a test that cannot be prepared.
func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
