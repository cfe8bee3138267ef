package render

import (
	"fmt"
	"iter"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// agentChart is the name of the chart that installs the agent.
const agentChart = "helmfile-agent"

// agentKinds are the kinds of the agent's own objects that are named after the instance.
var agentKinds = []schema.GroupKind{
	{Group: "", Kind: "ConfigMap"},
	{Group: "", Kind: "ServiceAccount"},
	{Group: "batch", Kind: "CronJob"},
	{Group: "rbac.authorization.k8s.io", Kind: "Role"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"},
}

// protect refuses a release that would write the agent's own objects. The release of the agent's own chart may have them, but no
// release may have what a run keeps its memory and its lock in.
func (r *Renderer) protect(want release.Desired, chart release.ChartVersion, objects release.Manifest) error {
	return agentObjects{r.kube.Namespace, r.kube.Options.Instance, r.kube.StateName(), r.kube.LeaseName(), r.history.All()}.refuse(want, chart, objects)
}

// agentObjects are the objects of one instance, which releases must not write.
type agentObjects struct {
	namespace, instance string
	state, lease        string // names of the ConfigMap and the Lease
	observed            iter.Seq2[release.Key, release.Observed]
}

func (a agentObjects) refuse(want release.Desired, chart release.ChartVersion, objects release.Manifest) error {
	for _, object := range objects {
		switch {
		case a.isState(want.Key, object):
			return fmt.Errorf("%s is what instance %s keeps its memory or its lock in: no release may contain it; rename it in the chart, or give the agent another --instance",
				object.ObjectKey, a.instance)
		case want.Options.TakeOwnership && chart.Name != agentChart && a.isAgents(want.Key, object):
			return fmt.Errorf("%s is the agent's own: takeOwnership may not take it; rename it in the chart", object.ObjectKey)
		}
	}
	return nil
}

func (a agentObjects) isState(of release.Key, object release.Object) bool {
	if namespaceOf(of, object) != a.namespace {
		return false
	}
	kind := groupKindOf(object)
	return kind == schema.GroupKind{Kind: "ConfigMap"} && object.Name == a.state ||
		kind == schema.GroupKind{Group: "coordination.k8s.io", Kind: "Lease"} && object.Name == a.lease
}

// isAgents finds the agent's own objects by the instance's name, and by the record of the release that installed the agent.
func (a agentObjects) isAgents(of release.Key, object release.Object) bool {
	if namespaceOf(of, object) == a.namespace && object.Name == a.instance && slices.Contains(agentKinds, groupKindOf(object)) {
		return true
	}
	for key, found := range a.observed {
		if key != of && found.Chart.Name == agentChart && contains(key, found.Manifest, of, object) {
			return true
		}
	}
	return false
}

func contains(key release.Key, manifest release.Manifest, of release.Key, object release.Object) bool {
	return slices.ContainsFunc(manifest, func(other release.Object) bool {
		return other.Name == object.Name && groupKindOf(other) == groupKindOf(object) && namespaceOf(key, other) == namespaceOf(of, object)
	})
}

func groupKindOf(object release.Object) schema.GroupKind {
	return schema.FromAPIVersionAndKind(object.APIVersion, object.Kind).GroupKind()
}

func namespaceOf(of release.Key, object release.Object) string {
	if object.Namespace != "" {
		return object.Namespace
	}
	return of.Namespace
}
