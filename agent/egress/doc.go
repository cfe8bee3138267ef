// Package egress decides which hosts the repository may make the agent reach, and dials them.
//
// In goes the setting allowRemote; out come answers about host names, a dialer and an HTTP transport. The dialer checks
// the address after the name was resolved, because a name on the Internet may resolve to the pod itself or to the
// metadata server of a cloud. The agent's own connections, to the git server and to Kubernetes, do not use it.
//
// It imports no other package of the agent.
package egress
