package cluster

// own are rights to an object of the agent's own, in its namespace.
func (r *Reader) own(group, resource, name string, verbs ...string) []right {
	rights := make([]right, 0, len(verbs))
	for _, verb := range verbs {
		rights = append(rights, right{verb, group, resource, r.c.namespace, name})
	}
	return rights
}

func (r *Reader) memoryPurpose() string { return "the memory of instance " + r.c.opts.Instance }
func (r *Reader) lockPurpose() string   { return "the lock of instance " + r.c.opts.Instance }

// bookkeeping is what a run writes for itself, besides Events, which may fail.
func (r *Reader) bookkeeping() purposes {
	p := purposes{}
	p.add(r.memoryPurpose(), r.remembering()...)
	p.add(r.lockPurpose(), r.locking()...)
	return p
}

// forgetting is what the end of an instance takes.
func (r *Reader) forgetting() purposes {
	p := purposes{}
	p.add(r.memoryPurpose(), r.own("", "configmaps", r.c.memoryName(), "delete")...)
	p.add(r.lockPurpose(), r.locking()...)
	p.add(r.lockPurpose(), r.own("coordination.k8s.io", "leases", r.c.leaseName(), "delete")...)
	return p
}

// isOwn says whether the right is to an object of the agent's own: to that alone, whatever else it may need of its kind.
func (r *Reader) isOwn(need right) bool {
	return need.namespace == r.c.namespace && need.name != "" &&
		(need.resource == "configmaps" && need.name == r.c.memoryName() || need.resource == "leases" && need.name == r.c.leaseName())
}

// bookkeepingForLife is bookkeeping as the first run needs it.
func (r *Reader) bookkeepingForLife() purposes {
	p := purposes{}
	p.add(r.memoryPurpose(), r.own("", "configmaps", r.c.memoryName(), "get", "create", "update")...)
	p.add(r.lockPurpose(), r.own("coordination.k8s.io", "leases", r.c.leaseName(), "get", "create", "update")...)
	p.add("what is no longer declared", right{"list", "", "secrets", r.c.namespace, ""}, right{"get", "", "secrets", r.c.namespace, ""})
	return p
}
