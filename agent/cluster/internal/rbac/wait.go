package rbac

import (
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// wait is for what Helm reads, besides the objects themselves, to see whether they are ready.
func (n *needs) wait(manifest release.Manifest) {
	if !n.Options.Wait && !n.Options.Atomic {
		return
	}
	for _, object := range manifest {
		switch {
		case object.Hook:
		case object.Kind == "Deployment":
			n.related(object, "apps/v1", "ReplicaSet", "list")
		case object.Kind == "ReplicaSet" || object.Kind == "ReplicationController":
			n.related(object, "v1", "Pod", "list")
		}
	}
}

// related objects are in the same namespace as the object that has them.
func (n *needs) related(to release.Object, version, kind string, verbs ...string) {
	n.object(release.Object{ObjectKey: release.ObjectKey{APIVersion: version, Kind: kind, Namespace: to.Namespace}}, verbs...)
}

// pods are those that Helm restarts.
func (n *needs) pods(verbs ...string) {
	n.related(release.Object{}, "v1", "Pod", verbs...)
}
