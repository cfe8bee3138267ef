package helmshim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

const webChart = "apiVersion: v2\nname: web\nversion: 1.0.0\n"

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {color: {{ .Values.color | default "none" }}}
spec:
  template:
    spec:
      containers:
      - {name: web, image: nginx}
`

const twoObjects = `apiVersion: v1
kind: Service
metadata: {name: one}
---
# Source: not/a/separator.yaml
apiVersion: v1
kind: Service
metadata: {name: two}
`

const hook = `apiVersion: v1
kind: Pod
metadata:
  name: check
  annotations: {helm.sh/hook: test}
`

const crd = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
---
# Source: other/crds.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: others.example.com}
`

func web(t *testing.T) string {
	t.Helper()
	return files(t, map[string]string{
		"web/Chart.yaml":                webChart,
		"web/templates/deployment.yaml": deployment,
		"web/templates/services.yaml":   twoObjects,
		"web/templates/test.yaml":       hook,
		"web/crds/crds.yaml":            crd,
	}) + "/web"
}

func TestVersion(t *testing.T) {
	for want, args := range map[string][]string{
		chart.HelmVersion() + "+g0000000\n": {"version", "--short"},
		chart.HelmVersion() + "+g0000000":   {"version", "--template={{.Version}}+g{{.GitCommit}}"},
	} {
		if got := must(t, "helm", args...); got != want {
			t.Errorf("%v: got %q", args, got)
		}
	}
	if got := must(t, "kustomize", "version"); got != "v5.8.1\n" {
		t.Errorf("got %q", got)
	}
}

func TestUnknownCommandsAndFlagsAreRefusedByName(t *testing.T) {
	isolate(t)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"a command":        {[]string{"helm", "upgrade", "--install", "web", "."}, "helm upgrade"},
		"a subcommand":     {[]string{"helm", "repo", "add", "x", "y"}, "helm repo add"},
		"a flag":           {[]string{"helm", "template", "--post-renderer=./x", "web", "."}, "post-renderer"},
		"kustomize":        {[]string{"kustomize", "create"}, "kustomize create"},
		"kustomize flag":   {[]string{"kustomize", "build", "--enable-exec", "."}, "--enable-exec"},
		"kustomize edit":   {[]string{"kustomize", "edit", "add", "resource"}, "kustomize edit add"},
		"kustomize set":    {[]string{"kustomize", "edit", "set", "label", "a:b"}, "kustomize edit set label"},
		"another name":     {[]string{"kubectl", "apply"}, "kubectl"},
		"pull of archives": {[]string{"helm", "pull", "x/y"}, "without --untar"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(test.args[0], test.args[1:]...)
			if code != 1 || stdout != "" {
				t.Errorf("code %d, stdout %q", code, stdout)
			}
			contains(t, stderr, "Error: ", "helmfile-agent does not", test.want)
		})
	}
}

func TestTemplateToStdout(t *testing.T) {
	isolate(t)
	got := must(t, "helm", "--kube-context", "x", "template", "", "shop", web(t), "--set", "color=blue", "--include-crds", "--skip-tests", "--namespace", "ns")
	want := "---\n# Source: web/crds/crds.yaml\n" + crd +
		"---\n# Source: web/templates/services.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: one}\n" +
		"---\n# Source: web/templates/services.yaml\n# Source: not/a/separator.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: two}\n" +
		"---\n# Source: web/templates/deployment.yaml\n"
	if len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("got:\n%s", got)
	}
	contains(t, got, "name: shop", "color: blue")
	only := must(t, "helm", "template", "shop", web(t), "--show-only", "templates/test.yaml")
	if want := "---\n# Source: web/templates/test.yaml\n" + hook; only != want {
		t.Errorf("got:\n%s", only)
	}
}

func TestTemplateToDirectory(t *testing.T) {
	isolate(t)
	out := t.TempDir()
	got := must(t, "helm", "template", "--debug=false", "--output-dir="+out, "--include-crds", "shop", web(t),
		"--kube-version", "1.31.0", "--api-versions", "example.com/v1")
	want := "wrote " + out + "/web/crds/crds.yaml\n" +
		"wrote " + out + "/web/templates/services.yaml\n" +
		"wrote " + out + "/web/templates/services.yaml\n" +
		"wrote " + out + "/web/templates/deployment.yaml\n" +
		"wrote " + out + "/web/templates/test.yaml\n"
	if got != want {
		t.Errorf("got:\n%s", got)
	}
	services, err := os.ReadFile(filepath.Join(out, "web/templates/services.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(services), "name: one", "name: two")
}

func TestTemplateNeedsDependencies(t *testing.T) {
	isolate(t)
	dir := files(t, map[string]string{"Chart.yaml": webChart + "dependencies: [{name: redis, version: 1.0.0, repository: 'http://127.0.0.1:1'}]"})
	_, _, stderr := run("helm", "template", "shop", dir)
	contains(t, stderr, "missing in its charts/ directory: redis")
}

func TestSecretsDecrypt(t *testing.T) {
	isolate(t)
	encrypted := file(t, "ciphertext")
	if got := must(t, "helm", "--kubeconfig", "k", "secrets", "decrypt", encrypted); got != "a: b\n" {
		t.Errorf("got %q", got)
	}
	other := file(t, "plain")
	code, stdout, stderr := run("helm", "secrets", "view", other)
	if code != 1 || stdout != "" {
		t.Errorf("code %d, stdout %q", code, stdout)
	}
	contains(t, stderr, "decrypt "+other+": no key")
	t.Setenv(sandbox.RootsVariable, t.TempDir())
	if code, _, stderr := run("helm", "secrets", "view", encrypted); code != 1 || !strings.Contains(stderr, "outside of the repository") {
		t.Errorf("code %d, %s", code, stderr)
	}
}

func TestRepoList(t *testing.T) {
	isolate(t)
	if _, _, stderr := run("helm", "repo", "list"); stderr != "Error: no repositories to show\n" {
		t.Errorf("got %q", stderr)
	}
	err := chart.WriteRepositories(os.Getenv("HELM_REPOSITORY_CONFIG"), []release.Repository{
		{Name: "a", URL: "https://a.example"}, {Name: "b", URL: "b.example/charts", OCI: true}})
	if err != nil {
		t.Fatal(err)
	}
	want := "NAME                \tURL\na                   \thttps://a.example\nb                   \toci://b.example/charts\n"
	if got := must(t, "helm", "repo", "list"); got != want {
		t.Errorf("got %q", got)
	}
}
