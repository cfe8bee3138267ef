package drift

import (
	"encoding/json"
	"fmt"
	"reflect"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Compare returns the patch that corrects the live object, and the corrected object. It ignores the fields at the given paths.
// When nothing differs, the patch is empty and the object is nil.
func Compare(want release.Object, live map[string]any, ignore []string) (release.Patch, map[string]any, error) {
	typed := newTyped(live)
	wanted := normalize(want.Content, typed)
	for _, pointer := range ignore {
		ignorePath(wanted, live, pointer)
	}
	m := merger{live: live, managedFields: &managedFields{live: live}}
	corrected := m.object(wanted, live, schemaOf(typed), nil)
	if reflect.DeepEqual(live, corrected) {
		return release.Patch{}, nil, nil
	}
	patch, err := patchFor(live, corrected, typed)
	if err != nil {
		return release.Patch{}, nil, fmt.Errorf("compare %s: %w", want.ObjectKey, err)
	}
	return patch, corrected, nil
}

// newTyped returns an empty object of the Go type for this kind. It is nil for custom resources, which have no Go type.
func newTyped(object map[string]any) runtime.Object {
	u := unstructured.Unstructured{Object: object}
	typed, err := scheme.Scheme.New(u.GroupVersionKind())
	if err != nil {
		return nil
	}
	return typed
}

// patchFor prefers a strategic merge patch, because that keeps list elements that other clients have added since. It returns a
// merge patch if the kind has no Go type, or if a strategic merge patch cannot express the change. An example is a change of one
// of two ports that have the same number and different protocols.
func patchFor(live, corrected map[string]any, typed runtime.Object) (release.Patch, error) {
	before, err := json.Marshal(live)
	if err != nil {
		return release.Patch{}, err
	}
	after, err := json.Marshal(corrected)
	if err != nil {
		return release.Patch{}, err
	}
	if typed != nil {
		data, err := strategicpatch.CreateTwoWayMergePatch(before, after, typed)
		if err == nil && resultsIn(after, before, data, typed) {
			return release.Patch{Type: string(types.StrategicMergePatchType), Data: data}, nil
		}
	}
	data, err := jsonpatch.CreateMergePatch(before, after)
	return release.Patch{Type: string(types.MergePatchType), Data: data}, err
}

// resultsIn says whether the patch changes before into after.
func resultsIn(after, before, patch []byte, typed runtime.Object) bool {
	patched, err := strategicpatch.StrategicMergePatch(before, patch, typed)
	return err == nil && jsonpatch.Equal(patched, after)
}
