//go:build linux

package node

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
)

// TestLifecycle installs, uses and uninstalls the agent.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	for title, tell := range map[string]func(*testNamespace){
		"installed, upgraded and uninstalled, it leaves nothing behind": leavesNothing,
		"uninstalled, it leaves what it made and what is to be kept":    leavesWhatIsKept,
		"helm test succeeds where all is well":                          testsWell,
		"helm test fails where a right is missing, and says which":      testsIll,
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			tell(newTestNamespace(t))
		})
	}
}

func leavesNothing(p *testNamespace) {
	before := p.inventory()
	p.declares(web)
	a := p.install("gitops", values{"command": "diff"})
	a.converges("looks")
	a.upgrade(values{"cronjob": values{"schedule": "7 * * * *"}, "dashboard": values{"enabled": true}, "networkPolicy": values{"enabled": true}})
	a.uninstall()
	p.contains(before)
}

func leavesWhatIsKept(p *testNamespace) {
	before := p.inventory()
	p.declares(web)
	a := p.install("gitops", values{"keep": []string{"ServiceAccount", "Role", "RoleBinding"}})
	a.converges("installs")
	a.uninstall()
	p.contains(append(before,
		"ConfigMap web", "Secret sh.helm.release.v1.web.v1",
		"ConfigMap gitops-helmfile-agent-state", "Lease gitops-helmfile-agent",
		"Role gitops-helmfile-agent", "RoleBinding gitops-helmfile-agent", "ServiceAccount gitops-helmfile-agent"))
}

func testsWell(p *testNamespace) {
	p.declares(web)
	a := p.install("gitops")
	before := p.inventory()
	position := a.now()
	out := p.helm("test", a.release, "--timeout", "2m")
	if !strings.Contains(out, "Succeeded") {
		p.t.Errorf("helm test says:\n%s", out)
	}
	a.wrote(position)
	p.contains(before)
}

func testsIll(p *testNamespace) {
	p.declares(web)
	a := p.install("gitops", values{"rbac": values{"kinds": []string{"services"}}})
	out, err := p.tryHelm("test", a.release, "--timeout", "2m")
	if err == nil || !strings.Contains(out, "configmaps") {
		p.t.Errorf("helm test: %v\n%s", err, out)
	}
}

func (a *agent) uninstall() {
	a.t.Helper()
	a.helm("uninstall", a.release, "--wait")
}

// passing has kinds whose objects change by themselves.
var passing = []string{"Event", "EndpointSlice"}

// inventory returns all objects of the namespace, with an administrator's rights.
func (p *testNamespace) inventory() []string {
	p.t.Helper()
	config := control.Config()
	config.WarningHandler = rest.NoWarnings{} // warnings about old kinds do not matter here
	client, err := dynamic.NewForConfig(config)
	p.must(err)
	lists, err := clientOf(p.t, cluster.Admin).Discovery().ServerPreferredNamespacedResources()
	p.must(err)
	var found []string
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		p.must(err)
		for _, kind := range list.APIResources {
			if !slices.Contains(kind.Verbs, "list") || slices.Contains(passing, kind.Kind) {
				continue
			}
			objects, err := client.Resource(group.WithResource(kind.Name)).Namespace(p.namespace).List(p.t.Context(), meta.ListOptions{})
			p.must(err)
			for _, object := range objects.Items {
				found = append(found, fmt.Sprintf("%s %s", kind.Kind, object.GetName()))
			}
		}
	}
	slices.Sort(found)
	return found
}

// contains compares the objects of the namespace. It waits for the garbage collector.
func (p *testNamespace) contains(want []string) {
	p.t.Helper()
	slices.Sort(want)
	var diff string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(pollInterval) {
		if diff = cmp.Diff(want, p.inventory()); diff == "" {
			return
		}
	}
	p.t.Errorf("the namespace contains (-want +got):\n%s", diff)
}
