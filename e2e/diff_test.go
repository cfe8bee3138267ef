package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
)

// TestDiff runs diff as the CI of a pull request does: on a checkout, without a repository. Nothing is written.
func TestDiff(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	dir := checkout(t, tree(t, "../examples/quickstart"))
	before := now(t)

	added := u.run("", "helmfile-agent", "diff", "--dir", dir, "--namespace", u.namespace, "--log-level", "warn")
	if added.code != 0 {
		t.Fatalf("diff without --detailed-exitcode: %s", added)
	}
	contains(t, added.stdout, "web: to install", "+++ Deployment/web", "+  replicas: 1", "3 to install")
	if strings.Contains(added.stdout, "\x1b[") {
		t.Error("colour without a terminal")
	}
	if writes := cluster.Writes(requests(t, before, u)); len(writes) != 0 {
		t.Errorf("diff wrote: %v", writes)
	}

	detailed := u.run("", "helmfile-agent", "diff", "--dir", dir, "--namespace", u.namespace, "--detailed-exitcode", "--log-level", "warn")
	if detailed.code != 2 {
		t.Errorf("diff --detailed-exitcode with differences: %s", detailed)
	}
	u.converge("--repo", newRepository(t, tree(t, "../examples/quickstart")).url)
	same := u.run("", "helmfile-agent", "diff", "--dir", dir, "--namespace", u.namespace, "--detailed-exitcode", "--log-level", "warn")
	if same.code != 0 {
		t.Errorf("diff --detailed-exitcode without differences: %s", same)
	}
}

// TestDryRun checks that a run with dryRun does the same as diff, with each way to set dryRun.
func TestDryRun(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	repo := newRepository(t, tree(t, "../examples/quickstart")).url
	file := filepath.Join(t.TempDir(), "agent.yaml")
	check(t, os.WriteFile(file, []byte("dryRun: true\n"), 0o600))
	before := now(t)
	diff := u.run("", "helmfile-agent", "diff", "--repo", repo, "--namespace", u.namespace, "--log-level", "warn")
	for how, test := range map[string]struct{ args, env []string }{
		"a flag":      {args: []string{"--dry-run"}},
		"a variable":  {env: []string{"HELMFILE_AGENT_DRY_RUN=true"}},
		"a file":      {args: []string{"--config", file}},
		"two of them": {args: []string{"--dry-run"}, env: []string{"HELMFILE_AGENT_DRY_RUN=false"}},
	} {
		v := u
		v.env = test.env
		r := v.run("", "helmfile-agent", append([]string{"run", "--repo", repo, "--namespace", u.namespace, "--log-level", "warn"}, test.args...)...)
		if got, want := withoutTimes(r.stdout), withoutTimes(diff.stdout); r.code != 0 || got != want || !strings.Contains(want, "3 to install") {
			t.Errorf("told by %s, run says\n%s\nand diff\n%s", how, r, diff)
		}
	}
	if writes := cluster.Writes(requests(t, before, u)); len(writes) != 0 {
		t.Errorf("the dry runs wrote: %v", writes)
	}
}

var inTime = regexp.MustCompile(` in [0-9.]+m?s`)

func withoutTimes(text string) string { return inTime.ReplaceAllString(text, "") }

// TestDiffMasksSecrets checks that diff shows that a Secret differs, but never its values.
func TestDiffMasksSecrets(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	files := map[string]string{
		"helmfile.yaml":            "releases:\n- name: vault\n  chart: ./chart\n  values: [{password: first-password}]\n",
		"chart/Chart.yaml":         "apiVersion: v2\nname: vault\nversion: 1.0.0\n",
		"chart/templates/all.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: vault}\nstringData: {password: {{ .Values.password }}}\n",
	}
	u.converge("--repo", newRepository(t, files).url)
	files["helmfile.yaml"] = strings.ReplaceAll(files["helmfile.yaml"], "first-", "another-")
	r := u.run("", "helmfile-agent", "diff", "--dir", checkout(t, files), "--namespace", u.namespace)
	contains(t, r.stdout, "values changed: password", "-------- # (14 bytes)", "++++++++ # (16 bytes)")
	if output := r.stdout + r.stderr; strings.Contains(output, "first-password") || strings.Contains(output, "another-password") {
		t.Errorf("a password was printed: %s", r)
	}
}

// checkout writes the files to a directory, like the checkout of a CI job.
func checkout(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// TestDiffDoesNotChangeTheCheckout checks that diff creates additional files, such as the dependencies of a chart, in another directory.
func TestDiffDoesNotChangeTheCheckout(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	configMap := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Chart.Name }}}\n"
	dir := checkout(t, map[string]string{
		"helmfile.yaml": "releases:\n- {name: plain, chart: ./charts/app}\n" +
			"- name: patched\n  chart: ./charts/app\n  jsonPatches:\n  - target: {version: v1, kind: ConfigMap, name: app}\n" +
			"    patch: [{op: add, path: /data, value: {patched: \"yes\"}}]\n" +
			"- name: extended\n  chart: ./charts/plain\n  dependencies: [{chart: ./charts/common, version: 1.0.0}]\n",
		"charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n" +
			"dependencies: [{name: common, version: \">=0\", repository: \"file://../common\"}]\n",
		"charts/app/templates/all.yaml":    configMap,
		"charts/plain/Chart.yaml":          "apiVersion: v2\nname: plain\nversion: 1.0.0\n",
		"charts/plain/templates/all.yaml":  configMap,
		"charts/common/Chart.yaml":         "apiVersion: v2\nname: common\nversion: 1.0.0\n",
		"charts/common/templates/all.yaml": configMap,
	})
	git(t, dir, "init", "--quiet")
	git(t, dir, "add", "--all")
	git(t, dir, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--message=first")
	r := u.run("", "helmfile-agent", "diff", "--dir", dir, "--namespace", u.namespace, "--log-level", "warn")
	contains(t, r.stdout, "plain: to install", "patched: to install", "extended: to install", "ConfigMap/common", "ConfigMap/app", "patched: \"yes\"")
	if status := git(t, dir, "status", "--short", "--ignored"); status != "" || r.code != 0 {
		t.Errorf("the checkout has\n%s\nafter %s", status, r)
	}
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}
