package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Node has the programs and images with which a cluster runs pods. It needs root and Linux. It leaves bridges, packet filters and mounts on
// the machine, so run it in package e2e/node/enclosure.
type Node struct {
	Binary string   // the binary of kubelet and kube-proxy: bin/node
	Tools  string   // the directory of Debian's containerd, runc, CNI plugins, iptables and ip: bin/debian
	Images []string // archives of the images that pods use, and of PauseImage
	CGroup string   // an existing control group for all pods, as a path below a hierarchy's root
}

// PauseImage is the image of the container that keeps a pod's namespaces.
const PauseImage = "pause.e2e/pause:1"

const (
	nodeName       = "node"
	bridge         = "pods"
	bridgeMAC      = "02:00:0a:f4:00:01" // without a fixed address, a bridge uses that of a pod, and changes it when pods start and end
	podNetwork     = "10.244.0.0/24"
	serviceNetwork = "10.96.0.0/16"
)

// What pods see of this machine: the address of the bridge, where servers for them listen, and the API server's Service.
var (
	BridgeAddress  = net.IPv4(10, 244, 0, 1)
	serviceAddress = net.IPv4(10, 96, 0, 1)
)

// nodeComponents returns the components of a node, in the order in which they start.
func (c *Cluster) nodeComponents() []component {
	n := c.node
	return []component{
		{"containerd", filepath.Join(n.Tools, "usr/bin/containerd"), []string{"--config=" + c.file(containerdFile)}, c.containerdReady},
		{"kubelet", n.Binary, append([]string{"kubelet"}, c.kubeletFlags()...), c.nodeReady},
		{"kube-proxy", n.Binary, append([]string{"kube-proxy"}, c.proxyFlags()...), c.proxyReady},
	}
}

// prepareNode creates the bridge, because the API server listens on its address, and all files that the node reads.
func (c *Cluster) prepareNode(ctx context.Context) error {
	if err := c.writeNodeFiles(); err != nil {
		return fmt.Errorf("prepare the node: %w", err)
	}
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"link", "add", bridge, "address", bridgeMAC, "type", "bridge"},
		{"addr", "add", BridgeAddress.String() + "/24", "dev", bridge},
		{"link", "set", bridge, "up"},
	} {
		if err := c.tool(ctx, "links/ip", args...); err != nil {
			return err
		}
	}
	return nil
}

// containerdReady imports the images as soon as containerd accepts them.
func (c *Cluster) containerdReady(ctx context.Context) error {
	if err := c.ctr(ctx, "version"); err != nil {
		return err
	}
	for _, archive := range c.node.Images {
		if err := c.ctr(ctx, "--namespace=k8s.io", "images", "import", archive); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) ctr(ctx context.Context, args ...string) error {
	return c.tool(ctx, "usr/bin/ctr", append([]string{"--address=" + c.file(containerdSocket)}, args...)...)
}

func (c *Cluster) proxyReady(ctx context.Context) error {
	return healthy(ctx, "http://127.0.0.1:10256/healthz")
}

// nodeReady checks the condition Ready of the node.
func (c *Cluster) nodeReady(ctx context.Context) error {
	node, err := c.probe.CoreV1().Nodes().Get(ctx, nodeName, meta.GetOptions{})
	if err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == core.NodeReady && condition.Status == core.ConditionTrue {
			return nil
		}
	}
	return errors.New("the node is not ready")
}

func (c *Cluster) tool(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.node.Tools, name), args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w: %s", filepath.Base(name), args, err, out)
	}
	return nil
}

// toolPath returns the PATH of the node's processes, which need runc, the shim and iptables.
func (n *Node) toolPath() string {
	path := os.Getenv("PATH")
	for _, dir := range []string{"usr/sbin", "usr/bin", "links"} {
		path = filepath.Join(n.Tools, dir) + string(os.PathListSeparator) + path
	}
	return path
}
