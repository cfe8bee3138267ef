package history

import (
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
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

// Protected is an error if the object is one of the agent's own, which the release must not write or delete. An object without a
// namespace is in that of the release.
func (h *History) Protected(of release.Key, object release.ObjectKey) error {
	o := h.kube.Options
	switch kind := groupKindOf(object); {
	case h.isState(of, object):
		return fmt.Errorf("%s is what instance %s keeps its state or its lock in: no release may contain it; rename it in the chart, or give the agent another --instance", object, o.Instance)
	case h.isAgentRelease(of) && o.SelfUpgrade:
		return nil
	case namespaceOf(of, object) == h.kube.Namespace && kind == schema.GroupKind{Kind: "Secret"} && slices.Contains(o.OwnSecrets, object.Name):
		return fmt.Errorf("%s holds keys of the agent (ownSecrets): no release may contain it; rename it in the chart", object)
	case h.isAgents(of, object) && h.isAgentRelease(of):
		return fmt.Errorf("%s is the agent's own: to let the helmfile upgrade the agent, set selfUpgrade", object)
	case h.isAgents(of, object):
		return fmt.Errorf("%s is the agent's own: no release may contain it; rename it in the chart", object)
	}
	return nil
}

// ProtectedIn joins the errors of [History.Protected] for the objects.
func (h *History) ProtectedIn(of release.Key, objects release.Manifest) error {
	var errs []error
	for _, object := range objects {
		errs = append(errs, h.Protected(of, object.ObjectKey))
	}
	return errors.Join(errs...)
}

func (h *History) isAgentRelease(key release.Key) bool {
	return h.kube.Options.AgentRelease != "" && key == release.Key{Namespace: h.kube.Namespace, Name: h.kube.Options.AgentRelease}
}

func (h *History) isState(of release.Key, object release.ObjectKey) bool {
	if namespaceOf(of, object) != h.kube.Namespace {
		return false
	}
	kind := groupKindOf(object)
	return kind == schema.GroupKind{Kind: "ConfigMap"} && object.Name == h.kube.StateName() ||
		kind == schema.GroupKind{Group: kube.LeaseGroup, Kind: "Lease"} && object.Name == h.kube.LeaseName()
}

// isAgents finds the agent's own objects by the instance's name, and by the record of the release that installed the agent.
func (h *History) isAgents(of release.Key, object release.ObjectKey) bool {
	if namespaceOf(of, object) == h.kube.Namespace && object.Name == h.kube.Options.Instance && slices.Contains(agentKinds, groupKindOf(object)) {
		return true
	}
	for key, found := range h.observed {
		if (h.isAgentRelease(key) || key != of && found.Chart.Name == agentChart) && contains(key, found.Manifest, of, object) {
			return true
		}
	}
	return false
}

func contains(key release.Key, manifest release.Manifest, of release.Key, object release.ObjectKey) bool {
	return slices.ContainsFunc(manifest, func(other release.Object) bool {
		return other.Name == object.Name && groupKindOf(other.ObjectKey) == groupKindOf(object) && namespaceOf(key, other.ObjectKey) == namespaceOf(of, object)
	})
}

func groupKindOf(object release.ObjectKey) schema.GroupKind {
	return schema.FromAPIVersionAndKind(object.APIVersion, object.Kind).GroupKind()
}

func namespaceOf(of release.Key, object release.ObjectKey) string {
	if object.Namespace != "" {
		return object.Namespace
	}
	return of.Namespace
}
