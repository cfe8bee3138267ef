// Package cluster reads the cluster and writes it, with two types: a [Reader] cannot write, a [Writer] does. It is a façade over the
// packages below internal, which each have one subject:
//
//	kube     connection, discovery, names, errors
//	history  Helm's records
//	options  a release's options as fields of Helm's actions
//	templates has Helm execute templates in another process
//	render   the revision that Helm would make now
//	live     live objects: drift and its correction
//	rbac     rights: which are needed, and which the agent has
//	action   install, upgrade, roll back, uninstall
//	state    the instance's state, its lock, Events
//
// It may import exit, release, lookup, chart, render and drift.
package cluster
