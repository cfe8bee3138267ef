// Package cluster runs a real Kubernetes control plane for tests and for the demo: etcd, kube-apiserver and kube-controller-manager. There
// is no scheduler and no node, so no pod runs. Tests that need pods use a Node: scheduler, containerd, kubelet and kube-proxy.
//
// The package starts the controlplane binary (see the kubernetes directory, a separate Go module). It provides configurations for an
// administrator and for tenants, and an exact list of the requests that the API server answered. It imports client-go, and no package of
// the product. Without a node, it needs no root and listens only on 127.0.0.1.
package cluster
