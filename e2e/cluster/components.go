package cluster

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// component is one process of the cluster, with its arguments and its check for readiness.
type component struct {
	name   string
	binary string
	args   []string
	ready  func(context.Context) error
}

// components returns the components in the order in which they start. Each needs those before it.
func (c *Cluster) components(binary string, ports []int) []component {
	client, peer, api := loopbackURL(ports[0]), loopbackURL(ports[1]), ports[2]
	controlPlane := func(name string, flags []string, ready func(context.Context) error) component {
		return component{name, binary, append([]string{name}, flags...), ready}
	}
	list := []component{
		controlPlane("etcd", c.etcdFlags(client, peer), func(ctx context.Context) error { return healthy(ctx, client+"/health") }),
		controlPlane("kube-apiserver", c.apiServerFlags(client, api), c.apiServerReady),
		controlPlane("kube-controller-manager", c.controllerManagerFlags(), c.controllersReady),
	}
	if c.node == nil {
		return list
	}
	scheduler := controlPlane("kube-scheduler", c.schedulerFlags(), started)
	return append(append(list, scheduler), c.nodeComponents()...)
}

// started is the check for components on which no later component depends.
func started(context.Context) error {
	return nil
}

func (c *Cluster) etcdFlags(client, peer string) []string {
	return []string{
		"--name=etcd",
		"--data-dir=" + c.file(etcdDir),
		"--unsafe-no-fsync", // the data need not outlive the process
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=etcd=" + peer,
		"--log-level=warn",
	}
}

func (c *Cluster) apiServerFlags(etcd string, port int) []string {
	return append(c.apiServerAddress(),
		"--etcd-servers="+etcd,
		"--secure-port="+strconv.Itoa(port),
		"--tls-cert-file="+c.file(serverCertFile),
		"--tls-private-key-file="+c.file(serverKeyFile),
		"--service-cluster-ip-range="+serviceNetwork,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.file(accountKeyFile),
		"--service-account-signing-key-file="+c.file(accountKeyFile),
		"--authorization-mode=Node,RBAC",
		"--token-auth-file="+c.file(tokensFile),
		"--audit-policy-file="+c.file(auditPolicyFile),
		"--audit-log-path="+c.file(auditLogFile),
		"--audit-log-mode=blocking", // the API server records a request before it completes the answer
		"--audit-log-maxsize=0",     // a rotated log would lose the positions in it
		"--profiling=false",
	)
}

// apiServerAddress makes the API server reachable for pods, if there is a node. A loopback address cannot be an endpoint of
// kubernetes.default.
func (c *Cluster) apiServerAddress() []string {
	if c.node == nil {
		return []string{"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"}
	}
	return []string{
		"--bind-address=0.0.0.0",
		"--advertise-address=" + BridgeAddress.String(),
		"--kubelet-preferred-address-types=InternalIP", // the node's name cannot be resolved
	}
}

func (c *Cluster) schedulerFlags() []string {
	return []string{
		"--kubeconfig=" + c.kubeconfigPath(schedulerUser, ""),
		"--secure-port=0", // no client needs this port
		"--leader-elect=false",
	}
}

func (c *Cluster) controllerManagerFlags() []string {
	return []string{
		"--kubeconfig=" + c.kubeconfigPath(controllerManagerUser, ""),
		"--secure-port=0", // no client needs this port
		"--leader-elect=false",
		"--use-service-account-credentials",
		"--root-ca-file=" + c.file(authorityFile),
		"--service-account-private-key-file=" + c.file(accountKeyFile),
		// With the default of 20 requests per second, it would start too slowly.
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
	}
}

func (c *Cluster) apiServerReady(ctx context.Context) error {
	return c.probe.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
}

func healthy(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return nil
}

func loopbackURL(port int) string {
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
