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

// example is a small helmfile. helmfile and the agent apply it, each to its own namespace.
type example struct {
	repo   string   // the helmfile.yaml, then other files, each after a line "-- path/of/file --"; testdata/charts is in charts/
	then   []string // later commits in the same form; both apply each of them
	path   string   // helmfile's --file and the agent's --path
	flags  []string // flags that both have
	env    []string // additional environment variables of both
	found  string   // the color in a ConfigMap "settings" that exists before
	signed bool     // the repository contains the signedArchive
	fails  int      // the number of the commit, from 1, that both fail to apply
	want   string   // the expected releases: name, revision, status and chart of each
}

// TestSameAsHelmfile applies the same files with `helmfile sync` (the real helmfile and helm) and with the agent. It compares Helm's
// records and the objects in the two namespaces.
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
		for _, r := range inParallel(sync, run) {
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

// base returns the files in the repository before the first commit.
func (e example) base(t *testing.T) map[string]string {
	t.Helper()
	files := tree(t, "testdata")
	if e.signed {
		maps.Copy(files, signedArchive(t))
	}
	return files
}

// twoNamespaces returns one namespace for helmfile and one for the agent. The agent's kubeconfig names the other namespace, to test that
// the agent uses its setting instead. helmfile runs as an administrator, because it makes helm create every namespace, and tenants may not
// do that even if the namespace exists.
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

// names returns the names of the variables.
func names(env []string) []string {
	var all []string
	for _, variable := range env {
		name, _, _ := strings.Cut(variable, "=")
		all = append(all, name)
	}
	return all
}

// pathWithKustomize returns a PATH with the agent's kustomize, because helmfile does not contain kustomize. The library is the same.
func pathWithKustomize(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	check(t, os.Symlink(filepath.Join(binaries, "helmfile-agent"), filepath.Join(dir, "kustomize")))
	return strings.Join([]string{dir, binaries, os.Getenv("PATH")}, string(os.PathListSeparator))
}

// inParallel runs commands in parallel, which halves the time of tests that wait.
func inParallel(commands ...func() result) []result {
	results := make([]result, len(commands))
	var group sync.WaitGroup
	for i, command := range commands {
		group.Go(func() { results[i] = command() })
	}
	group.Wait()
	return results
}

// sections returns the files in a text.
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

// check ends the test if there is an error.
func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
