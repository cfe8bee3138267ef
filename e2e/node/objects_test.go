//go:build linux

package node

import (
	"encoding/json"
	"errors"
	"slices"
	"sync"

	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// kinds returns all namespaced kinds that can be listed.
var kinds = sync.OnceValues(func() (found []schema.GroupVersionResource, err error) {
	client, err := discovery.NewDiscoveryClientForConfig(control.Config())
	if err != nil {
		return nil, err
	}
	lists, err := discovery.ServerPreferredNamespacedResources(client)
	for _, list := range discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list"}}, lists) {
		version, malformed := schema.ParseGroupVersion(list.GroupVersion)
		err = errors.Join(err, malformed)
		for _, kind := range list.APIResources {
			found = append(found, version.WithResource(kind.Name))
		}
	}
	return found, err
})

// objects returns all objects of the namespace by kind, and Helm's records in plain text. It leaves out the Secrets that the test created
// for the agent.
func (p *testNamespace) objects() map[string]string {
	p.t.Helper()
	all, err := kinds()
	p.must(err)
	config := control.Config()
	config.WarningHandler = rest.NoWarnings{} // no warnings about old kinds
	client, err := dynamic.NewForConfig(config)
	p.must(err)
	found := map[string]string{"Helm's records": p.records()}
	for _, kind := range all {
		list, err := client.Resource(kind).Namespace(p.namespace).List(p.t.Context(), meta.ListOptions{})
		p.must(err)
		list.Items = slices.DeleteFunc(list.Items, func(object unstructured.Unstructured) bool {
			return kind.Resource == "secrets" && slices.Contains([]string{gitSecret, keySecret, environment}, object.GetName())
		})
		found["the "+kind.GroupResource().String()] = p.text(list.Items)
	}
	return found
}

func (p *testNamespace) records() string {
	p.t.Helper()
	records, err := driver.NewSecrets(p.client.CoreV1().Secrets(p.namespace)).List(func(*helm.Release) bool { return true })
	p.must(err)
	return p.text(records)
}

func (p *testNamespace) text(content any) string {
	p.t.Helper()
	text, err := json.Marshal(content)
	p.must(err)
	return string(text)
}
