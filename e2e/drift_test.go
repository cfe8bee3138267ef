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

// incident is what somebody does to an object of the release shop, which testdata/shop is the chart of, and what becomes of it
// in the next run. Whatever that is, the release keeps its revision, and the run after that finds nothing more to do.
type incident struct {
	edit edit
	// verdict is the report's: correct unless it says otherwise.
	verdict verdict
	// why are parts of the report's reason, or of its error.
	why []string
	// live is what the object says afterwards: "configmaps/shop /data/color: blue", or "configmaps/shop /data/color" for what
	// is not there.
	live  []string
	flags []string
}

type verdict string

const (
	unchanged verdict = "unchanged"
	drifted   verdict = "drifted"
	failed    verdict = "failed"
)

// edit is done by somebody with all rights.
type edit func(*story)

// TestDrift tells of one edit each.
func TestDrift(t *testing.T) {
	t.Parallel()
	for title, told := range incidents {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			told.happens(newShop(t))
		})
	}
}

// newShop is a story in which the release shop is installed.
func newShop(t *testing.T) *story {
	t.Helper()
	s := newStory(t)
	s.commitsShop("")
	if c := s.run(); c.code != converged {
		t.Fatalf("the shop was not installed: %s", c.result)
	}
	return s
}

// commitsShop declares the release shop, with more words about it.
func (s *story) commitsShop(more string) {
	s.t.Helper()
	files := map[string]string{"helmfile.yaml": "releases:\n- {name: shop, chart: ./shop" + more + "}\n"}
	for path, content := range tree(s.t, "testdata/shop") {
		files["shop/"+path] = content
	}
	s.repo.commit(s.t, files, "next")
}

func (i incident) happens(s *story) {
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
		s.lives(line)
	}
	s.has("shop 1")
	if i.verdict == "" {
		s.run().shows(converged, "shop unchanged").writes("update configmaps") // it forgets that it had to correct something
	}
}

// lives compares one field of a live object, written as for [incident].live.
func (s *story) lives(line string) {
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

// at is the value that a JSON pointer names; nil for none.
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

// resource is the administrator's way to "deployments.v1.apps/shop" in the story's namespace, or to "configmaps/shop".
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

// merge, strategic and jsonPatch are `kubectl patch`.
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

// status is what a controller does.
func status(name, patch string) edit {
	return patchWith(types.MergePatchType, name, "status: "+patch, "status")
}

// scale is `kubectl scale`.
func scale(name string, replicas int) edit {
	return patchWith(types.MergePatchType, name, "spec: {replicas: "+strconv.Itoa(replicas)+"}", "scale")
}

// update is `kubectl edit`: the whole object is sent.
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

// serverSide is `kubectl apply --server-side --force-conflicts`.
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

// removed is `kubectl delete`.
func removed(name string) edit {
	return func(s *story) {
		s.t.Helper()
		resource, object := s.resource(name)
		orphan := meta.DeletePropagationBackground
		check(s.t, resource.Delete(s.t.Context(), object, meta.DeleteOptions{PropagationPolicy: &orphan}))
	}
}

// remade is `kubectl replace --force`: what is immutable in an object is other in the next one of the name.
func remade(name string, change func(object map[string]any)) edit {
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
