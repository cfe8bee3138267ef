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

// Compare returns the patch that makes the live object what the manifest says, the paths to ignore apart, and the live
// object as it would be then. The patch is empty, and the object nil, when nothing differs.
func Compare(want release.Object, live map[string]any, ignore []string) (release.Patch, map[string]any, error) {
	typed := newTyped(live)
	wanted := normal(want.Content, typed)
	for _, pointer := range ignore {
		leave(wanted, live, pointer)
	}
	m := merger{live: live, owners: &owners{live: live}}
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

// newTyped is an empty object of the Go type that Kubernetes has for this kind; nil for custom resources.
func newTyped(object map[string]any) runtime.Object {
	u := unstructured.Unstructured{Object: object}
	typed, err := scheme.Scheme.New(u.GroupVersionKind())
	if err != nil {
		return nil
	}
	return typed
}

// patchFor is a strategic merge patch, which leaves elements of lists alone that others have added since, if the kind has
// such and it can say it: of ports with one number for two protocols it cannot.
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
		if err == nil && leadsTo(after, before, data, typed) {
			return release.Patch{Type: string(types.StrategicMergePatchType), Data: data}, nil
		}
	}
	data, err := jsonpatch.CreateMergePatch(before, after)
	return release.Patch{Type: string(types.MergePatchType), Data: data}, err
}

func leadsTo(after, before, patch []byte, typed runtime.Object) bool {
	patched, err := strategicpatch.StrategicMergePatch(before, patch, typed)
	return err == nil && jsonpatch.Equal(patched, after)
}
