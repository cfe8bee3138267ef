package e2e

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

// incident is an edit of an object of the release shop (its chart is testdata/shop), with the expected result of the next run. In each
// case, the release keeps its revision, and the run after that has nothing to do.
type incident struct {
	edit edit
	// verdict is the action in the report; correct if empty.
	verdict verdict
	// why has parts of the reason or the error in the report.
	why []string
	// live has the expected fields after the run: "configmaps/shop /data/color: blue", or "configmaps/shop /data/color" for a missing
	// field.
	live  []string
	flags []string
}

type verdict string

const (
	unchanged verdict = "unchanged"
	drifted   verdict = "drifted"
	failed    verdict = "failed"
)

// edit is a change by an administrator.
type edit func(*story)

// TestDrift has one edit in each case.
func TestDrift(t *testing.T) {
	t.Parallel()
	for title, test := range incidents {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			test.test(newShop(t))
		})
	}
}

// newShop returns a story with the installed release shop.
func newShop(t *testing.T) *story {
	t.Helper()
	s := newStory(t)
	s.commitsShop("")
	if c := s.run(); c.code != converged {
		t.Fatalf("the shop was not installed: %s", c.result)
	}
	return s
}

// commitsShop declares the release shop with additional lines.
func (s *story) commitsShop(more string) {
	s.t.Helper()
	files := map[string]string{"helmfile.yaml": "releases:\n- {name: shop, chart: ./shop" + more + "}\n"}
	for path, content := range tree(s.t, "testdata/shop") {
		files["shop/"+path] = content
	}
	s.repo.commit(s.t, files, "next")
}

func (i incident) test(s *story) {
	s.flags = i.flags
	i.edit(s)
	found := s.run()
	switch i.verdict {
	case unchanged:
		found.shows(converged, "shop unchanged").writes("")
	case drifted:
		found.shows(converged, "shop drifted").writesNoState()
	case failed:
		found.shows(releasesFailed, "shop failed")
	default:
		found.shows(converged, "shop correct")
	}
	found.says(i.why...)
	for _, line := range i.live {
		s.hasField(line)
	}
	s.has("shop 1")
	if i.verdict == "" {
		s.run().shows(converged, "shop unchanged").writes("update configmaps") // it resets the count of corrections
	}
}

// hasField compares one field of a live object, in the form of [incident].live.
func (s *story) hasField(line string) {
	s.t.Helper()
	field, wanted, _ := strings.Cut(line, ": ")
	name, pointer, _ := strings.Cut(field, " ")
	var want any
	check(s.t, yaml.Unmarshal([]byte(wanted), &want))
	got := at(s.object(name), pointer)
	if encoded, err := json.Marshal(got); err != nil || json.Unmarshal(encoded, &got) != nil {
		s.t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("%s: %s", field, diff)
	}
}

// at returns the value at a JSON pointer, or nil.
func at(node any, pointer string) any {
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch parent := node.(type) {
		case map[string]any:
			node = parent[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(parent) {
				return nil
			}
			node = parent[i]
		default:
			return nil
		}
	}
	return node
}

// resource returns the administrator's client for a resource in the story's namespace, such as "deployments.v1.apps/shop" or
// "configmaps/shop".
func (s *story) resource(name string) (dynamic.ResourceInterface, string) {
	s.t.Helper()
	client := must(dynamic.NewForConfig(control.Config()))(s.t)
	kind, object, _ := strings.Cut(name, "/")
	gvr := schema.GroupVersionResource{Version: "v1", Resource: kind}
	if full, _ := schema.ParseResourceArg(kind); full != nil {
		gvr = *full
	}
	if strings.HasPrefix(kind, "customresourcedefinitions") {
		return client.Resource(gvr), object
	}
	return client.Resource(gvr).Namespace(s.namespace), object
}

func (s *story) object(name string) map[string]any {
	s.t.Helper()
	resource, object := s.resource(name)
	return must(resource.Get(s.t.Context(), object, meta.GetOptions{}))(s.t).Object
}

// merge, strategic and jsonPatch do the same as `kubectl patch`.
func merge(name, patch string) edit     { return patchWith(types.MergePatchType, name, patch) }
func strategic(name, patch string) edit { return patchWith(types.StrategicMergePatchType, name, patch) }
func jsonPatch(name, patch string) edit { return patchWith(types.JSONPatchType, name, patch) }

func patchWith(kind types.PatchType, name, patch string, subresources ...string) edit {
	return func(s *story) {
		s.t.Helper()
		resource, object := s.resource(name)
		body := must(yaml.YAMLToJSON([]byte(patch)))(s.t)
		must(resource.Patch(s.t.Context(), object, kind, body, meta.PatchOptions{FieldManager: "kubectl-patch"}, subresources...))(s.t)
	}
}

// status patches the status, like a controller.
func status(name, patch string) edit {
	return patchWith(types.MergePatchType, name, "status: "+patch, "status")
}

// scale does the same as `kubectl scale`.
func scale(name string, replicas int) edit {
	return patchWith(types.MergePatchType, name, "spec: {replicas: "+strconv.Itoa(replicas)+"}", "scale")
}

// update does the same as `kubectl edit`: it sends the whole object.
func update(name string, change func(object map[string]any)) edit {
	return func(s *story) {
		s.t.Helper()
		resource, _ := s.resource(name)
		object := &unstructured.Unstructured{Object: s.object(name)}
		change(object.Object)
		must(resource.Update(s.t.Context(), object, meta.UpdateOptions{FieldManager: "kubectl-edit"}))(s.t)
	}
}

func set(value any, path ...string) func(map[string]any) {
	return func(object map[string]any) { _ = unstructured.SetNestedField(object, value, path...) }
}

// serverSide does the same as `kubectl apply --server-side --force-conflicts`.
func serverSide(name, fields string) edit {
	return func(s *story) {
		s.t.Helper()
		resource, object := s.resource(name)
		live := s.object(name)
		var applied map[string]any
		check(s.t, yaml.Unmarshal([]byte(fields), &applied))
		applied["apiVersion"], applied["kind"] = live["apiVersion"], live["kind"]
		must(resource.Apply(s.t.Context(), object, &unstructured.Unstructured{Object: applied},
			meta.ApplyOptions{FieldManager: "another-controller", Force: true}))(s.t)
	}
}

// removed does the same as `kubectl delete`.
func removed(name string) edit {
	return func(s *story) {
		s.t.Helper()
		resource, object := s.resource(name)
		orphan := meta.DeletePropagationBackground
		check(s.t, resource.Delete(s.t.Context(), object, meta.DeleteOptions{PropagationPolicy: &orphan}))
	}
}

// recreated does the same as `kubectl replace --force`: it deletes the object and creates one with other immutable fields.
func recreated(name string, change func(object map[string]any)) edit {
	return func(s *story) {
		s.t.Helper()
		resource, _ := s.resource(name)
		object := &unstructured.Unstructured{Object: s.object(name)}
		object.SetResourceVersion("")
		object.SetUID("")
		unstructured.RemoveNestedField(object.Object, "status")
		change(object.Object)
		removed(name)(s)
		must(resource.Create(s.t.Context(), object, meta.CreateOptions{FieldManager: "kubectl-replace"}))(s.t)
	}
}

func all(edits ...edit) edit {
	return func(s *story) {
		s.t.Helper()
		for _, edit := range edits {
			edit(s)
		}
	}
}
