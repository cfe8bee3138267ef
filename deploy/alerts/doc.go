// Package alerts holds the alerting rules for platform teams: rules.yaml, one file for all agents of a cluster. It is made from
// the chart's files/rules.yaml, which the chart renders for the one agent that it installs; `go test ./deploy/alerts -update`
// makes it. There is no code here but tests: promtool runs both renderings against what kube-state-metrics would show.
package alerts
