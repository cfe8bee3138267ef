//go:build linux

package node

import (
	"os"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// outside is what stands outside of the cluster, where pods reach it: one git root behind HTTPS and behind SSH, and a
// registry. All of them want to know who asks, and none has a certificate that the image trusts by itself.
var outside struct {
	root     string
	git      *servers.GitHTTP
	ssh      *servers.GitSSH
	registry *servers.Registry
}

const (
	username = "ada"
	password = "correct horse battery staple"
)

func startServers() error {
	private := servers.Options{Username: username, Password: password, TLS: true, Address: cluster.BridgeAddress}
	var err error
	if outside.root, err = os.MkdirTemp("", "git-"); err != nil {
		return err
	}
	if outside.git, err = servers.NewGitHTTP(outside.root, private); err != nil {
		return err
	}
	if outside.ssh, err = servers.NewGitSSHAt(outside.root, cluster.BridgeAddress); err != nil {
		return err
	}
	outside.registry, err = servers.NewRegistry(private)
	return err
}
