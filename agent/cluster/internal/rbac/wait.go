package rbac

import (
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// wait adds the rights to what Helm reads, besides the objects themselves, to find out whether they are ready.
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

// related adds rights to objects of another kind in the namespace of the object.
func (n *needs) related(to release.Object, version, kind string, verbs ...string) {
	n.object(release.Object{ObjectKey: release.ObjectKey{APIVersion: version, Kind: kind, Namespace: to.Namespace}}, verbs...)
}

// pods adds rights to the pods that Helm restarts.
func (n *needs) pods(verbs ...string) {
	n.related(release.Object{}, "v1", "Pod", verbs...)
}
