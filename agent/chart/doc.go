// Package chart turns a chart reference into a chart: repositories, registries, local directories, dependencies.
//
// In goes a [release.Chart]; out comes Helm's chart in memory ([Store.Load]) or unpacked on disk ([Store.Pull]). Nothing
// is downloaded until a chart that needs it is asked for, so a dead repository fails only the releases that use it, and
// nothing is downloaded twice in a run: stores in other processes share downloads by sharing the directory.
//
// It may import exit, egress and release. It never talks to a cluster and never decides what to install. It speaks plain HTTP
// with a registry only when told to; unlike Helm 3 it never falls back to it by itself.
package chart
