package helmshim

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEdit(t *testing.T) {
	t.Chdir(files(t, map[string]string{"kustomization.yaml": "bases:\n- ../base\nimages:\n- {name: memcached, newTag: v1}\n- {name: nginx, newTag: old}\n"}))
	must(t, "kustomize", "edit", "set", "image", "nginx=my:5000/nginx:1.25@sha256:abc", "plain:v2")
	must(t, "kustomize", "edit", "set", "nameprefix", "pre-")
	must(t, "kustomize", "edit", "set", "namesuffix", "--", "-acme")
	must(t, "kustomize", "edit", "set", "namespace", "shop")
	got, err := os.ReadFile("kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := `bases:
- ../base
images:
- name: memcached
  newTag: v1
- digest: sha256:abc
  name: nginx
  newName: my:5000/nginx
  newTag: "1.25"
- name: plain
  newTag: v2
namePrefix: pre-
nameSuffix: -acme
namespace: shop
`
	if string(got) != want {
		t.Errorf("got:\n%s", got)
	}
}

// TestKustomizeVersionIsThatOfTheLibrary fails when go.mod gets another version of the library. Change both constants then.
func TestKustomizeVersionIsThatOfTheLibrary(t *testing.T) {
	modules, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(modules), "sigs.k8s.io/kustomize/api "+kustomizeAPI+"\n")
}

func TestBuildRefusesHelmChartsAndPlugins(t *testing.T) {
	for name, test := range map[string]struct{ kustomization, want string }{
		"helm charts": {"helmCharts: [{name: web, repo: 'https://x.example', version: 1.0.0}]", "does not support helmCharts"},
		"plugins":     {"generators: [plugin.yaml]", "does not run kustomize plugins"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := files(t, map[string]string{
				"kustomization.yaml": test.kustomization,
				"plugin.yaml":        "apiVersion: someteam.example.com/v1\nkind: Executable\nmetadata: {name: x}\n",
			})
			out := filepath.Join(dir, "out.yaml")
			code, _, stderr := run("kustomize", "-o", out, "build", "--enable-alpha-plugins", "--enable-helm", "--helm-command=helm", dir)
			if code != 1 {
				t.Errorf("code %d", code)
			}
			contains(t, stderr, test.want)
		})
	}
}
