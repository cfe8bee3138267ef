//go:build linux

package node

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
)

// has compares every revision in Helm's records, in the form "db 1, web 1, web 2". It leaves out the agent's own installation.
func (a *agent) has(want string) {
	a.t.Helper()
	if diff := cmp.Diff(want, a.revisions("owner=helm,name!="+a.release)); diff != "" {
		a.t.Errorf("the releases (-want +got):\n%s", diff)
	}
}

// revisions returns Helm's records with these labels, in order.
func (p *testNamespace) revisions(labels string) string {
	p.t.Helper()
	list, err := p.client.CoreV1().Secrets(p.namespace).List(p.t.Context(), meta.ListOptions{LabelSelector: labels})
	p.must(err)
	var found []string
	for _, record := range list.Items {
		found = append(found, record.Labels["name"]+" "+record.Labels["version"])
	}
	slices.Sort(found)
	return strings.Join(found, ", ")
}

// color returns the color in the release's ConfigMap, or nothing if there is no ConfigMap.
func (p *testNamespace) color(release string) string {
	p.t.Helper()
	found, err := p.client.CoreV1().ConfigMaps(p.namespace).Get(p.t.Context(), release, meta.GetOptions{})
	if err != nil {
		return ""
	}
	return found.Data["color"]
}

// account returns the user name of the agent's pods.
func (a *agent) account() string {
	return fmt.Sprintf("system:serviceaccount:%s:%s", a.namespace, a.fullname())
}

// now returns the current position in the audit log.
func (p *testNamespace) now() cluster.Position {
	p.t.Helper()
	position, err := control.Audit.Now(p.t.Context())
	p.must(err)
	return position
}

// requests returns the requests of the agent's account since the position.
func (a *agent) requests(since cluster.Position) []cluster.Request {
	a.t.Helper()
	requests, err := control.Audit.Requests(a.t.Context(), since, a.account())
	a.must(err)
	return requests
}

// wrote compares the agent's writes since the position, one per line.
func (a *agent) wrote(since cluster.Position, want ...string) {
	a.t.Helper()
	var found []string
	for _, request := range cluster.Writes(a.requests(since)) {
		found = append(found, request.String())
	}
	if diff := cmp.Diff(want, found); diff != "" {
		a.t.Errorf("the agent's writes (-want +got):\n%s", diff)
	}
}
