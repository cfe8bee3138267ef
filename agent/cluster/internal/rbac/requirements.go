package rbac

import (
	"reflect"
	"slices"

	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Action is what a [Change] does to a release.
type Action string

// The actions.
const (
	Label     Action = "label" // changes the labels of the newest record only
	Correct   Action = "correct"
	Install   Action = "install"
	Upgrade   Action = "upgrade"
	Uninstall Action = "uninstall"
	Lifecycle Action = "lifecycle" // everything that may happen to the release
	NoAction  Action = "none"
)

// Change is what the agent is about to do to one release.
type Change struct {
	release.Key
	Action  Action
	Options release.Options
	// Revision and Status are those of the newest revision. They are zero if there is no revision yet.
	Revision int
	Status   string
	// Interrupted is the operation that the newest revision records and that did not end; empty when there is none.
	Interrupted release.Operation
	// Before is the manifest of the newest revision, and After is that of the next one. Helm installs CRDs with the first revision only.
	Before, After, CRDs release.Manifest
	// Drifts are the live objects that differ from the newest revision.
	Drifts []release.Drift
}

// requirements returns the rights that the change needs: to Helm's own records, and to each object that Helm creates, changes or deletes.
// Earlier is what revisions before the newest one may have left in the cluster.
func requirements(c Change, earlier release.Manifest, scopeOf resolver) []right {
	n := &needs{Change: c, earlier: earlier, scopeOf: scopeOf}
	switch {
	case c.Action == Label:
		n.record(kube.RecordName(c.Key, c.Revision), "patch")
	case c.Action == Correct:
		n.correct()
	case c.Action == Install && c.Interrupted == release.Installing:
		n.install()
		n.installAgain()
	case c.Action == Install:
		n.install()
	case c.Action == Uninstall:
		n.uninstall()
	case helm.Status(c.Status) == helm.StatusUninstalling || c.Options.ReinstallIfForbidden:
		n.uninstall()
		n.install()
		n.upgrade()
	default:
		n.upgrade()
	}
	return n.rights
}

// resolver returns the scope of an object. It is not ok when the cluster does not know the kind.
type resolver func(object release.Object, namespace string) (kube.ResourceScope, bool)

// needs collects the rights of one change.
type needs struct {
	Change
	earlier release.Manifest // objects that revisions before the newest one may have left in the cluster
	scopeOf resolver
	rights  []right
}

// record adds rights to a record of Helm, or to all records when the name is empty.
func (n *needs) record(name string, verbs ...string) {
	for _, verb := range verbs {
		n.rights = append(n.rights, right{verb, "", "secrets", n.Namespace, name})
	}
}

// object adds nothing for a kind that the cluster does not know, or does not know yet. Helm's own error about that is clearer.
func (n *needs) object(object release.Object, verbs ...string) {
	at, ok := n.scopeOf(object, n.Namespace)
	if !ok {
		return
	}
	for _, verb := range verbs {
		n.rights = append(n.rights, right{verb, at.Group, at.Resource, at.Namespace, object.Name})
	}
}

func (n *needs) correct() {
	for _, drift := range n.Drifts {
		verb := "patch"
		if drift.Missing {
			verb = "create"
		}
		n.object(release.Object{ObjectKey: drift.ObjectKey}, verb)
	}
}

func (n *needs) install() {
	n.record("", "list", "create", "update")
	for _, crd := range n.CRDs {
		n.object(crd, "create", "get")
	}
	for _, object := range n.After {
		if !object.Hook {
			n.create(object)
		}
	}
	n.hooks(n.After, helm.HookPreInstall, helm.HookPostInstall)
	n.wait(n.After)
	if n.Options.Atomic {
		n.remove(n.After)
	}
}

// installAgain adds the rights to take over the objects that an interrupted installation has created, and to delete those that are no
// longer wanted.
func (n *needs) installAgain() {
	n.record("", "get")
	after := history.ByKey(n.After)
	for _, object := range n.After {
		if !object.Hook {
			n.object(object, n.change())
		}
	}
	for _, object := range n.former() {
		if next, declared := after[object.ObjectKey]; !object.Hook && (!declared || next.Hook) {
			n.delete(object)
		}
	}
}

func (n *needs) uninstall() {
	n.record("", "update")
	n.remove(n.Before)
	if n.Interrupted == "" {
		return
	}
	for _, object := range n.earlier { // the operation that was interrupted may have left them
		if !object.Hook && !kept(object) {
			n.object(object, "get", "delete")
		}
	}
}

// remove adds the rights to uninstall: the agent reads each object, hooks excepted, before Helm deletes it.
func (n *needs) remove(manifest release.Manifest) {
	n.record("", "list", "get", "delete")
	for _, object := range manifest {
		if !object.Hook && !kept(object) {
			n.object(object, "get", "delete")
		}
	}
	n.hooks(manifest, helm.HookPreDelete, helm.HookPostDelete)
}

func (n *needs) upgrade() {
	n.record("", "list", "create", "update")
	if history.IsUnfinished(helm.Status(n.Status)) {
		n.record("", "get")
	}
	if limit := n.Options.HistoryMax; limit > 0 && n.Revision >= limit {
		n.record("", "get", "delete") // Helm deletes the oldest record to make room
	}
	before, after := history.ByKey(n.Before), history.ByKey(n.After)
	for key, object := range after {
		old, existed := before[key]
		switch {
		case object.Hook:
		case existed && !old.Hook:
			n.update(old, object)
		default:
			n.create(object)
			n.cleanup(object)
		}
	}
	for _, object := range n.former() {
		if next, declared := after[object.ObjectKey]; !object.Hook && (!declared || next.Hook) {
			n.delete(object)
		}
	}
	n.hooks(n.After, helm.HookPreUpgrade, helm.HookPostUpgrade)
	n.wait(n.After)
	if n.Options.Atomic {
		n.record("", "get")
		n.hooks(n.former(), helm.HookPreRollback, helm.HookPostRollback)
		n.wait(n.former())
	}
	if n.Options.RecreatePods {
		n.pods("list", "delete")
	}
}

// former are the objects that any revision until now may have left in the cluster. After a failed upgrade these are more than the objects
// of the newest revision.
func (n *needs) former() release.Manifest { return slices.Concat(n.Before, n.earlier) }

// create adds the rights for a new object. Helm reads it first, to see whether it exists already.
func (n *needs) create(object release.Object) {
	n.object(object, "get", "create")
	if n.Options.TakeOwnership {
		n.object(object, n.change())
	}
}

// change is the verb that Helm uses to change an object.
func (n *needs) change() string {
	if n.Options.Force {
		return "update"
	}
	return "patch"
}

// update adds the rights for an object that both revisions have. Helm writes an unchanged object only with force, or if the live object
// differs. After a failed revision the agent cannot know what is in the cluster, so it needs the rights for both cases.
func (n *needs) update(old, object release.Object) {
	n.object(object, "get")
	if n.Options.Force || !reflect.DeepEqual(old.Content, object.Content) {
		n.object(object, n.change())
	}
	if helm.Status(n.Status) != helm.StatusDeployed {
		n.object(object, n.change(), "create")
	}
	for _, drift := range n.Drifts {
		switch {
		case drift.ObjectKey != object.ObjectKey:
		case drift.Missing:
			n.object(object, "create")
		default:
			n.object(object, n.change())
		}
	}
}

// delete adds the rights for an object that the next revision does not have. A rollback creates it again.
func (n *needs) delete(object release.Object) {
	n.object(object, "get")
	if kept(object) {
		return
	}
	n.object(object, "delete")
	if n.Options.Atomic {
		n.object(object, "create")
	}
}

// cleanup adds the right to delete a new object again when the upgrade fails.
func (n *needs) cleanup(object release.Object) {
	if n.Options.Atomic || n.Options.CleanupOnFail {
		n.object(object, "delete")
	}
}
