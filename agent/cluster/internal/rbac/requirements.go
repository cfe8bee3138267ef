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

const (
	Label     Action = "label" // the newest record only
	Correct   Action = "correct"
	Install   Action = "install"
	Upgrade   Action = "upgrade"
	Uninstall Action = "uninstall"
	Lifecycle Action = "lifecycle" // everything that may happen to the release
	NoAction  Action = "none"
)

// Change is what is about to happen to one release.
type Change struct {
	release.Key
	Action  Action
	Options release.Options
	// Revision and Status are those of the newest revision; there is none before the first one is installed.
	Revision int
	Status   string
	// Before is in the newest revision, After in the next one; CRDs come beside After with the first one.
	Before, After, CRDs release.Manifest
	// Drifts are the live objects that differ from the newest revision.
	Drifts []release.Drift
}

// rights are what the change needs: Helm reads and writes its own records, and each object according to what becomes of it.
func requirements(c Change, former release.Manifest, scopeOf resolver) []right {
	n := &needs{Change: c, earlier: former, scopeOf: scopeOf}
	switch {
	case c.Action == Label:
		n.record(kube.RecordName(c.Key, c.Revision), "patch")
	case c.Action == Correct:
		n.correct()
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

// resolver finds where an object lives; not ok when the kind is unknown.
type resolver func(object release.Object, namespace string) (kube.ResourceScope, bool)

// needs collects the rights of one change.
type needs struct {
	Change
	earlier release.Manifest // what older revisions than the newest may have left behind
	scopeOf resolver
	rights  []right
}

func (n *needs) record(name string, verbs ...string) {
	for _, verb := range verbs {
		n.rights = append(n.rights, right{verb, "", "secrets", n.Namespace, name})
	}
}

// object adds nothing for a kind that the cluster does not know (yet): Helm will say so better.
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

func (n *needs) uninstall() {
	n.record("", "update")
	n.remove(n.Before)
}

// remove reads each object before it deletes it, see annotatedOnly.
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
		n.record("", "get", "delete") // Helm makes room for the next record
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
		if new, stays := after[object.ObjectKey]; !object.Hook && (!stays || new.Hook) {
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

// former is everything that may be there because of an earlier revision. After a failed one that is more than the newest revision.
func (n *needs) former() release.Manifest { return slices.Concat(n.Before, n.earlier) }

// comes is for what is new: Helm looks whether somebody else has it already.
func (n *needs) create(object release.Object) {
	n.object(object, "get", "create")
	if n.Options.TakeOwnership {
		n.object(object, n.change())
	}
}

// change is the verb with which Helm changes an object.
func (n *needs) change() string {
	if n.Options.Force {
		return "update"
	}
	return "patch"
}

// stays is for what is there already. Helm writes what does not change only if it is forced to, or if it differs live; and
// after a revision that failed nobody knows what is there.
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

// goes is for what the next revision does not have any more. A rollback brings it back.
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

// mayGoAgain is for what the next revision brings, if that fails.
func (n *needs) cleanup(object release.Object) {
	if n.Options.Atomic || n.Options.CleanupOnFail {
		n.object(object, "delete")
	}
}
