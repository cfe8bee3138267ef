// Package egress decides which hosts the repository may make the agent connect to, and connects to them.
//
// Its input is the setting allowRemote. Its output is a decision about a host, a dialer, an HTTP transport and an HTTP proxy. The dialer
// checks the address after the name was resolved, because a name on the Internet may resolve to the pod itself or to the metadata server
// of a cloud. The agent's own connections to the git server and to Kubernetes do not use this package.
//
// It may import no other package of the agent.
package egress
