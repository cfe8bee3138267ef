package cluster

import (
	"fmt"
	"os"
	"path/filepath"
)

// The node's files in the cluster's directory.
const (
	containerdFile   = "containerd.toml"
	containerdSocket = "containerd.sock"
	networkFile      = "net.d/10-bridge.conflist"
	kubeletFile      = "kubelet.yaml"
)

// containerdConfig sets restrict_oom_score_adj, because root in some containers may not lower the OOM score of a process.
const containerdConfig = `version = 2
root = "%[1]s/containerd/root"
state = "%[1]s/containerd/state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "%[1]s/` + containerdSocket + `"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + PauseImage + `"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "%[2]s/usr/lib/cni"
  conf_dir = "%[1]s/net.d"
`

const networkConfig = `{
  "cniVersion": "0.4.0",
  "name": "pods",
  "plugins": [
    {"type": "bridge", "bridge": "` + bridge + `", "isGateway": true, "ipMasq": true, "hairpinMode": true,
     "ipam": {"type": "host-local", "dataDir": "%s/addresses", "ranges": [[{"subnet": "` + podNetwork + `"}]],
              "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`

// kubeletConfig accepts all requests for logs. It uses no cgroups for quality of service, and no limits for swap and disk. Its name server
// does not exist, so that a lookup fails at once.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: "%[3]s"
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: %[2]s
cgroupsPerQOS: false
clusterDNS: ["%[3]s"]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://%[1]s/` + containerdSocket + `
enforceNodeAllocatable: []
evictionHard: {memory.available: 10Mi, nodefs.available: 1%%, nodefs.inodesFree: 1%%, imagefs.available: 1%%, imagefs.inodesFree: 1%%}
failCgroupV1: false
failSwapOn: false
imageGCHighThresholdPercent: 100
podLogsDir: %[1]s/pods
registerNode: true
resolvConf: ""
syncFrequency: 10s
volumePluginDir: %[1]s/plugins
`

func (c *Cluster) writeNodeFiles() error {
	for name, content := range map[string]string{
		containerdFile: fmt.Sprintf(containerdConfig, c.dir, c.node.Tools),
		networkFile:    fmt.Sprintf(networkConfig, c.dir),
		kubeletFile:    fmt.Sprintf(kubeletConfig, c.dir, c.node.CGroup, BridgeAddress),
	} {
		if err := os.MkdirAll(filepath.Dir(c.file(name)), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(c.file(name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	for _, user := range []string{schedulerUser, nodeUser, proxyUser} {
		if _, err := c.Kubeconfig(user, ""); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) kubeletFlags() []string {
	return []string{
		"--config=" + c.file(kubeletFile),
		"--kubeconfig=" + c.kubeconfigPath(nodeUser, ""),
		"--root-dir=" + c.file("kubelet"),
		"--cert-dir=" + c.file("kubelet-certificates"),
		"--hostname-override=" + nodeName,
		"--node-ip=" + BridgeAddress.String(),
	}
}

func (c *Cluster) proxyFlags() []string {
	return []string{
		"--kubeconfig=" + c.kubeconfigPath(proxyUser, ""),
		"--proxy-mode=iptables",
		"--cluster-cidr=" + podNetwork,
		"--hostname-override=" + nodeName,
		// Connection tracking belongs to the whole machine, so kube-proxy must not change it.
		"--conntrack-max-per-core=0",
		"--conntrack-min=0",
		"--conntrack-tcp-timeout-established=0",
		"--conntrack-tcp-timeout-close-wait=0",
		"--conntrack-udp-timeout=0",
		"--conntrack-udp-timeout-stream=0",
	}
}
