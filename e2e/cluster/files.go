package cluster

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/helmfile-agent/helmfile-agent/e2e/servers/authority"
)

// The files of a cluster's directory.
const (
	auditLogFile    = "audit.jsonl"
	auditPolicyFile = "audit-policy.yaml"
	authorityFile   = "authority.crt"
	serverCertFile  = "kube-apiserver.crt"
	serverKeyFile   = "kube-apiserver.key"
	accountKeyFile  = "service-account.key"
	tokensFile      = "tokens.csv"
	etcdDir         = "etcd"
)

// auditPolicy records one line for each request, before the answer is complete. It records a watch when it starts, because the watch may
// end long after the test.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- level: Metadata
  verbs: [watch]
  omitStages: [RequestReceived, ResponseComplete]
- level: Metadata
  omitStages: [RequestReceived, ResponseStarted]
`

func (c *Cluster) file(name string) string {
	return filepath.Join(c.dir, name)
}

// writeFiles writes all files that the components read: certificates, tokens and configurations.
func (c *Cluster) writeFiles() error {
	own, err := authority.New()
	if err != nil {
		return err
	}
	c.authority = own.PEM
	server, err := own.Loopback(BridgeAddress, serviceAddress)
	if err != nil {
		return err
	}
	accountKey, err := newAccountKey()
	if err != nil {
		return err
	}
	files := map[string][]byte{
		auditLogFile:    nil,
		auditPolicyFile: []byte(auditPolicy),
		authorityFile:   own.PEM,
		serverCertFile:  server.Certificate,
		serverKeyFile:   server.Key,
		accountKeyFile:  accountKey,
		tokensFile:      tokenFile(c.tokens),
	}
	for name, content := range files {
		if err := os.WriteFile(c.file(name), content, 0o600); err != nil {
			return fmt.Errorf("prepare the control plane: %w", err)
		}
	}
	return nil
}

// newAccountKey creates the key that signs ServiceAccount tokens.
func newAccountKey() ([]byte, error) {
	key, err := authority.NewKey()
	if err != nil {
		return nil, err
	}
	return authority.KeyPEM(key)
}
