//go:build linux

package node

import (
	"os"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// outside has the servers outside of the cluster that pods can reach: one git root over HTTPS and SSH, and a registry. All of them require
// credentials. Their certificates are not among those in the image.
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
