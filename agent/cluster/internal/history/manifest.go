package history

import (
	"errors"
	"fmt"
	"slices"

	"helm.sh/helm/v3/pkg/chart"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// ManifestOf is every object of a revision, hooks included. Tests are left out, as helm-diff does: they run on demand.
func ManifestOf(revision *helm.Release) (release.Manifest, error) {
	var manifest release.Manifest
	for _, document := range releaseutil.SplitManifests(revision.Manifest) {
		if err := add(&manifest, document, false); err != nil {
			return nil, err
		}
	}
	for _, hook := range revision.Hooks {
		if hook == nil { // Helm never writes this, but others can write records
			return nil, errors.New("the record holds a hook that is null: repair or delete the Secret that stores this revision")
		}
		if onlyTests(hook) {
			continue
		}
		if err := add(&manifest, hook.Manifest, true); err != nil {
			return nil, err
		}
	}
	manifest.Sort()
	return manifest, nil
}

// onlyTests says that Helm runs the hook for `helm test` alone.
func onlyTests(hook *helm.Hook) bool {
	return len(hook.Events) > 0 && !slices.ContainsFunc(hook.Events, func(event helm.HookEvent) bool { return event != helm.HookTest })
}

// CRDsOf are the objects in a chart's crds directories, which Helm creates before the first revision only.
func CRDsOf(c *chart.Chart) release.Manifest {
	var manifest release.Manifest
	for _, file := range c.CRDObjects() {
		for _, document := range releaseutil.SplitManifests(string(file.File.Data)) {
			if err := add(&manifest, document, false); err != nil {
				continue // Helm will say so better when it installs them
			}
		}
	}
	manifest.Sort()
	return manifest
}

func add(manifest *release.Manifest, document string, hook bool) error {
	var content map[string]any
	// Helm's splitting takes the last line break away, which a text at the end (`key: |`) has when Helm applies it.
	if err := yaml.Unmarshal([]byte(document+"\n"), &content); err != nil {
		return fmt.Errorf("decode manifest: %w", err)
	}
	if len(content) == 0 {
		return nil // a template that rendered to comments only
	}
	return addObject(manifest, content, hook)
}

// addObject adds an object, or the items of a list as Helm applies them.
func addObject(manifest *release.Manifest, content map[string]any, hook bool) error {
	object := unstructured.Unstructured{Object: content}
	if object.IsList() {
		return object.EachListItem(func(item runtime.Object) error {
			return addObject(manifest, item.(*unstructured.Unstructured).Object, hook)
		})
	}
	*manifest = append(*manifest, release.Object{
		ObjectKey: release.ObjectKey{
			APIVersion: object.GetAPIVersion(),
			Kind:       object.GetKind(),
			Namespace:  object.GetNamespace(),
			Name:       object.GetName(),
		},
		Hook:    hook,
		Content: content,
	})
	return nil
}

// ByKey maps each object of the manifest by its key.
func ByKey(manifest release.Manifest) map[release.ObjectKey]release.Object {
	objects := make(map[release.ObjectKey]release.Object, len(manifest))
	for _, object := range manifest {
		objects[object.ObjectKey] = object
	}
	return objects
}
