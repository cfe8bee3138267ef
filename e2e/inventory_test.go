package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
)

// inventory lists all objects of a namespace, as resource.group/name.
func inventory(t *testing.T, namespace string) (found []string) {
	t.Helper()
	all := dynamic.NewForConfigOrDie(control.Config())
	lists, err := discovery.ServerPreferredNamespacedResources(client(t).Discovery())
	check(t, err)
	for _, list := range discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list"}}, lists) {
		for _, kind := range list.APIResources {
			at := must(schema.ParseGroupVersion(list.GroupVersion))(t).WithResource(kind.Name)
			if kind.Name == "events" || kind.Name == "endpoints" { // Events change all the time; Endpoints are an older form of EndpointSlices
				continue
			}
			objects := must(all.Resource(at).Namespace(namespace).List(t.Context(), meta.ListOptions{}))(t)
			for _, object := range objects.Items {
				found = append(found, at.GroupResource().String()+"/"+object.GetName())
			}
		}
	}
	slices.Sort(found)
	return found
}

// expectInventory compares the objects with those before, plus the given ones. It waits for objects that are being deleted.
func expectInventory(t *testing.T, namespace string, before []string, more ...string) {
	t.Helper()
	want := slices.Sorted(slices.Values(slices.Concat(before, more)))
	var got []string
	for until := time.Now().Add(soon); time.Now().Before(until); time.Sleep(200 * time.Millisecond) {
		if got = inventory(t, namespace); slices.Equal(want, got) {
			return
		}
	}
	t.Errorf("the objects of %s:\n%s", namespace, cmp.Diff(want, got))
}
