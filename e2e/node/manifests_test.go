//go:build linux

package node

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// TestWithoutHelm applies deploy/manifests as a tenant, with the replacements in the first lines of the file.
func TestWithoutHelm(t *testing.T) {
	t.Parallel()
	p := newTestNamespace(t)
	p.declares(web)
	open, err := servers.NewGitHTTP(outside.root, servers.Options{Address: cluster.BridgeAddress})
	p.must(err)
	t.Cleanup(open.Close)
	content, err := os.ReadFile("../../deploy/manifests/helmfile-agent.yaml")
	p.must(err)
	manifest := regexp.MustCompile(`(?m)namespace: helmfile-agent$`).ReplaceAllString(string(content), "namespace: "+p.namespace)
	manifest = strings.NewReplacer("https://git.example.com/shop/config", open.RepoURL(p.name), "helmfile-agent:0.1.0", "helmfile-agent:"+imageTag,
		"suspend: false", "suspend: true").Replace(manifest)
	p.apply(manifest)
	a := &agent{testNamespace: p, release: "helmfile-agent"}
	a.converges("first")
	before := a.now()
	a.converges("second")
	a.wrote(before)
	a.has("web 1")
}

// apply creates the objects, with the tenant's rights.
func (p *testNamespace) apply(manifest string) {
	p.t.Helper()
	config, err := control.ConfigFor(p.user)
	p.must(err)
	client, err := dynamic.NewForConfig(config)
	p.must(err)
	kinds, err := restmapper.GetAPIGroupResources(p.client.Discovery())
	p.must(err)
	mapper := restmapper.NewDiscoveryRESTMapper(kinds)
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifest), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return
		}
		p.must(err)
		if len(object.Object) == 0 {
			continue // a comment
		}
		kind := object.GroupVersionKind()
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		p.must(err)
		_, err = client.Resource(mapping.Resource).Namespace(object.GetNamespace()).Create(p.t.Context(), object, meta.CreateOptions{FieldValidation: meta.FieldValidationStrict})
		p.must(err)
	}
}
