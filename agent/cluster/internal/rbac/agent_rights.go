package rbac

// Existing says which of the agent's own objects exist. The agent updates these and creates the others.
type Existing struct{ State, Lease bool }

// own returns rights to one of the agent's own objects, in its namespace.
func (r *Reviewer) own(group, resource, name string, verbs ...string) []right {
	rights := make([]right, 0, len(verbs))
	for _, verb := range verbs {
		rights = append(rights, right{verb, group, resource, r.kube.Namespace, name})
	}
	return rights
}

func (r *Reviewer) statePurpose() string { return "the state of instance " + r.kube.Options.Instance }

func (r *Reviewer) lockPurpose() string { return "the lock of instance " + r.kube.Options.Instance }

// runRights are the rights to the state and the Lease, which each run writes. The right to create Events is not required, because a
// run goes on without it.
func (r *Reviewer) runRights(have Existing) purposes {
	p := purposes{}
	p.add(r.statePurpose(), r.stateRights(have)...)
	p.add(r.lockPurpose(), r.leaseRights(have)...)
	return p
}

// destroyRights are the rights to delete the state and the Lease.
func (r *Reviewer) destroyRights(have Existing) purposes {
	p := purposes{}
	p.add(r.statePurpose(), r.own("", "configmaps", r.kube.StateName(), "delete")...)
	p.add(r.lockPurpose(), r.leaseRights(have)...)
	p.add(r.lockPurpose(), r.own("coordination.k8s.io", "leases", r.kube.LeaseName(), "delete")...)
	return p
}

// isOwn says whether the right is to the state or the Lease of the instance. Roles name these two objects.
func (r *Reviewer) isOwn(need right) bool {
	return need.namespace == r.kube.Namespace && need.name != "" &&
		(need.resource == "configmaps" && need.name == r.kube.StateName() || need.resource == "leases" && need.name == r.kube.LeaseName())
}

// lifetimeRights are the rights to the state and the Lease for the first run and all later ones.
func (r *Reviewer) lifetimeRights() purposes {
	p := purposes{}
	p.add(r.statePurpose(), r.own("", "configmaps", r.kube.StateName(), "get", "create", "update")...)
	p.add(r.lockPurpose(), r.own("coordination.k8s.io", "leases", r.kube.LeaseName(), "get", "create", "update")...)
	p.add("what is no longer declared", right{"list", "", "secrets", r.kube.Namespace, ""}, right{"get", "", "secrets", r.kube.Namespace, ""})
	return p
}

// optionalLifetimeRights are the rights to see that the pod that holds the lock has ended. Without them the next run waits until the Lease
// expires.
func (r *Reviewer) optionalLifetimeRights() purposes {
	p := purposes{}
	p.add(r.lockPurpose(), right{"get", "", "pods", r.kube.Namespace, ""})
	return p
}

// stateRights are the rights to write the state, from which the next run knows the releases.
func (r *Reviewer) stateRights(have Existing) []right {
	verb := "create"
	if have.State {
		verb = "update"
	}
	return r.own("", "configmaps", r.kube.StateName(), verb)
}

// leaseRights are the rights to take, renew and release the lock.
func (r *Reviewer) leaseRights(have Existing) []right {
	verbs := []string{"get", "update"}
	if !have.Lease {
		verbs = append(verbs, "create")
	}
	return r.own("coordination.k8s.io", "leases", r.kube.LeaseName(), verbs...)
}
