// Package loader turns a checkout into the complete list of wanted releases, or an error; never a partial list. It is the
// only door to helmfile.
//
// helmfile itself loads, templates and merges everything: this room hands it an engine that records the flags and values
// files which helmfile would have given to helm, and turns each record into a [release.Desired]. So helmfile's semantics
// come from helmfile's code.
//
// It may import exit, release, secrets and chart. A directory comes in; a [Set] goes out.
package loader
