// Package cluster runs a real Kubernetes control plane for tests and for the demo: etcd, kube-apiserver and
// kube-controller-manager, without scheduler and without node, so nothing that needs a running pod ever gets ready.
// Tests that need pods ask for a Node too: scheduler, containerd, kubelet and kube-proxy.
//
// In goes the controlplane binary (see the kubernetes directory, a Go module of its own); out come configurations for
// an administrator and for tenants, and an exact account of every request that the API server answered. It imports
// client-go and nothing of the product. Without a node it needs no root and listens
// on 127.0.0.1 only.
package cluster
