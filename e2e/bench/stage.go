package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// stage is a control plane, and git repositories to deploy from.
type stage struct {
	bin, dir string
	cluster  *cluster.Cluster
	client   kubernetes.Interface
	git      *servers.GitHTTP
	wire     *wire
}

func newStage(ctx context.Context, bin string) (s *stage, err error) {
	s = &stage{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.bin, err = filepath.Abs(bin); err != nil {
		return s, err
	}
	if s.dir, err = os.MkdirTemp("", "helmfile-agent-bench-"); err != nil {
		return s, err
	}
	if s.cluster, err = cluster.Start(ctx, cluster.Options{Binary: filepath.Join(s.bin, "controlplane")}); err != nil {
		return s, err
	}
	if s.client, err = kubernetes.NewForConfig(s.cluster.Config()); err != nil {
		return s, err
	}
	if s.wire, err = newWire(s.cluster.Config().Host); err != nil {
		return s, err
	}
	s.git, err = servers.NewGitHTTP(s.dir, servers.Options{})
	return s, err
}

func (s *stage) close() error {
	if s.git != nil {
		s.git.Close()
	}
	if s.wire != nil {
		_ = s.wire.listener.Close() // the process is ending
	}
	var err error
	if s.cluster != nil {
		err = s.cluster.Stop()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// tenant creates a namespace, and a kubeconfig of a user with rights in this namespace only.
func (s *stage) tenant(ctx context.Context, namespace, user string) (string, error) {
	if err := s.cluster.Tenant(ctx, namespace, user); err != nil {
		return "", err
	}
	kubeconfig, err := s.cluster.Kubeconfig(user, namespace)
	if err != nil {
		return "", err
	}
	return kubeconfig, s.wire.reroute(kubeconfig)
}

// helmfile declares n releases of one small chart: a Deployment, a Service, a ConfigMap and a ServiceAccount each.
func helmfile(n int, answer string) map[string]string {
	var releases strings.Builder
	releases.WriteString("helmDefaults: {createNamespace: false}\nreleases:\n")
	for i := range n {
		value := "42"
		if i == 0 {
			value = answer
		}
		fmt.Fprintf(&releases, "- {name: app-%04d, chart: ./chart, values: [{answer: %q}]}\n", i, value)
	}
	return map[string]string{
		"helmfile.yaml":    releases.String(),
		"chart/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
		"chart/templates/all.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {answer: {{ .Values.answer | quote }}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ .Release.Name }}}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {selector: {app: {{ .Release.Name }}}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: 0
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: app, image: registry.example.com/app:1}]}
`,
	}
}

// spoil changes one live object.
func (s *stage) spoil(ctx context.Context, namespace string) error {
	configMaps := s.client.CoreV1().ConfigMaps(namespace)
	found, err := configMaps.Get(ctx, "app-0000", metav1.GetOptions{})
	if err != nil {
		return err
	}
	found.Data["answer"] = "spoilt"
	_, err = configMaps.Update(ctx, found, metav1.UpdateOptions{})
	return err
}
