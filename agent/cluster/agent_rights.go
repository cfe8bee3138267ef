package cluster

// own are rights to an object of the agent's own, in its namespace.
func (r *Reader) own(group, resource, name string, verbs ...string) []right {
	rights := make([]right, 0, len(verbs))
	for _, verb := range verbs {
		rights = append(rights, right{verb, group, resource, r.c.Namespace, name})
	}
	return rights
}

func (r *Reader) memoryPurpose() string { return "the memory of instance " + r.c.Options.Instance }
func (r *Reader) lockPurpose() string   { return "the lock of instance " + r.c.Options.Instance }

// runRights is what a run writes for itself, besides Events, which may fail.
func (r *Reader) runRights() purposes {
	p := purposes{}
	p.add(r.memoryPurpose(), r.stateRights()...)
	p.add(r.lockPurpose(), r.leaseRights()...)
	return p
}

// forgetting is what the end of an instance takes.
func (r *Reader) destroyRights() purposes {
	p := purposes{}
	p.add(r.memoryPurpose(), r.own("", "configmaps", r.c.StateName(), "delete")...)
	p.add(r.lockPurpose(), r.leaseRights()...)
	p.add(r.lockPurpose(), r.own("coordination.k8s.io", "leases", r.c.LeaseName(), "delete")...)
	return p
}

// isOwn says whether the right is to an object of the agent's own: to that alone, whatever else it may need of its kind.
func (r *Reader) isOwn(need right) bool {
	return need.namespace == r.c.Namespace && need.name != "" &&
		(need.resource == "configmaps" && need.name == r.c.StateName() || need.resource == "leases" && need.name == r.c.LeaseName())
}

// lifetimeRights is runRights as the first run needs it.
func (r *Reader) lifetimeRights() purposes {
	p := purposes{}
	p.add(r.memoryPurpose(), r.own("", "configmaps", r.c.StateName(), "get", "create", "update")...)
	p.add(r.lockPurpose(), r.own("coordination.k8s.io", "leases", r.c.LeaseName(), "get", "create", "update")...)
	p.add("what is no longer declared", right{"list", "", "secrets", r.c.Namespace, ""}, right{"get", "", "secrets", r.c.Namespace, ""})
	return p
}
