// Package alerts holds the alerting rules for platform teams: rules.yaml, one file for all agents of a cluster. `go test
// ./deploy/alerts -update` generates it from the chart's files/rules.yaml, which the chart renders for the one agent that it installs.
// This package has only tests: promtool runs both versions of the rules with the series that kube-state-metrics would export.
package alerts
