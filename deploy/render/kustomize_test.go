package render

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// TestKustomize builds each kustomization and compares the objects with those of the chart with these values.
func TestKustomize(t *testing.T) {
	const monitoring = "{prometheusRule: {enabled: true}, dashboard: {enabled: true}}"
	for dir, values := range map[string][]string{
		"base":                {"{}"},
		"overlays/production": {monitoring, "config: {ref: main, environment: production}"},
		"overlays/staging":    {"command: diff", "cronjob: {schedule: '0 * * * *'}", "config: {ref: main, environment: staging}"},
	} {
		t.Run(dir, func(t *testing.T) {
			built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(root, "deploy/kustomize", dir))
			if err != nil {
				t.Fatal(err)
			}
			text, err := built.AsYaml()
			if err != nil {
				t.Fatal(err)
			}
			rendered, err := Render(loaded(t), plain, layered(t, append([]string{given}, values...)...))
			if err != nil {
				t.Fatal(err)
			}
			want, got := comparableObjects(t, rendered.Documents), comparableObjects(t, split(map[string]string{"all": string(text)}).Documents)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the chart (-) and kustomize (+) differ:\n%s", diff)
			}
		})
	}
}

// TestPlainManifests compares the plain manifests with the objects of the chart with only a repository.
func TestPlainManifests(t *testing.T) {
	files, err := Files(root)
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := Render(loaded(t), plain, layered(t, given))
	if err != nil {
		t.Fatal(err)
	}
	all := split(map[string]string{"all": strings.TrimPrefix(string(files["deploy/manifests/helmfile-agent.yaml"]), plainHead)})
	if diff := cmp.Diff(comparableObjects(t, rendered.Documents), comparableObjects(t, all.Documents)); diff != "" {
		t.Errorf("the chart (-) and the manifests (+) differ:\n%s", diff)
	}
	if strings.Contains(string(files["deploy/manifests/helmfile-agent.yaml"]), "helm.sh/") {
		t.Error("the manifests bear Helm's labels")
	}
}

// comparableObjects returns the objects by kind and name, without hooks and without Helm's own labels. It decodes them strictly.
func comparableObjects(t *testing.T, documents []string) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	for _, document := range documents {
		if !strings.Contains(document, "kind: ") {
			continue // comments
		}
		if _, err := decode(document); err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
		var o object
		var whole map[string]any
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			t.Fatal(err)
		}
		if o.Metadata.Annotations["helm.sh/hook"] != "" {
			continue
		}
		if err := yaml.Unmarshal([]byte(helmLines.ReplaceAllString(document, "")), &whole); err != nil {
			t.Fatal(err)
		}
		if file := o.Data["agent.yaml"]; file != "" {
			whole["data"] = layered(t, file)
		}
		found[o.Kind+"/"+o.Metadata.Name] = whole
	}
	if len(found) < 4 {
		t.Fatalf("found only %q", slices.Sorted(maps.Keys(found)))
	}
	return found
}
