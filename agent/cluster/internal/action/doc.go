// Package action installs, upgrades, rolls back and uninstalls releases with Helm.
//
// It may import exit, release, chart, kube, history, options and templates.
package action
