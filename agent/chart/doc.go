// Package chart turns a chart reference into a chart. Its input is a [release.Chart]. Its output is Helm's chart in memory
// ([Store.Load]) or a chart directory ([Store.Pull]). It is a façade over the packages below internal, which each have one subject:
//
//	charterrors   errors without credentials and with hints
//	limits        how much may be downloaded and read
//	digest        a short text for a value
//	once          one computation for all callers
//	archive       checks of chart archives
//	schema        checks of values schemas
//	files         local charts
//	trust         certificates, keys and keyrings
//	repositories  the known repositories
//	chartrepo     downloads over HTTP
//	oci           downloads from registries
//	download      the version, the download and the verification of a chart
//	dependencies  builds of dependencies
//
// A chart is downloaded only when a release needs it, so a repository that does not answer affects only the releases that use it.
// Nothing is downloaded twice in a run: stores of other processes use the same directory. Unlike Helm 3, the agent never falls back to
// plain HTTP for a registry.
//
// It may import egress and release. It does not use the cluster.
package chart
