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

// has compares Helm's records with a picture such as "db 1, web 1, web 2": every revision of every release, but those of the
// agent's own installation.
func (a *agent) has(want string) {
	a.t.Helper()
	if diff := cmp.Diff(want, a.revisions("owner=helm,name!="+a.release)); diff != "" {
		a.t.Errorf("the releases (-want +got):\n%s", diff)
	}
}

// revisions are Helm's records with these labels, in order.
func (p *place) revisions(labels string) string {
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

// color is what the release's ConfigMap says, or nothing if there is none.
func (p *place) color(release string) string {
	p.t.Helper()
	found, err := p.client.CoreV1().ConfigMaps(p.namespace).Get(p.t.Context(), release, meta.GetOptions{})
	if err != nil {
		return ""
	}
	return found.Data["color"]
}

// account is the user that the agent's pods are.
func (a *agent) account() string {
	return fmt.Sprintf("system:serviceaccount:%s:%s", a.namespace, a.fullname())
}

// now is a position in the audit log.
func (p *place) now() cluster.Position {
	p.t.Helper()
	position, err := control.Audit.Now(p.t.Context())
	p.must(err)
	return position
}

// asked is all that the agent's account asked since the position.
func (a *agent) asked(since cluster.Position) []cluster.Request {
	a.t.Helper()
	requests, err := control.Audit.Requests(a.t.Context(), since, a.account())
	a.must(err)
	return requests
}

// wrote compares what the agent wrote since the position with a picture of one write per line.
func (a *agent) wrote(since cluster.Position, want ...string) {
	a.t.Helper()
	var found []string
	for _, request := range cluster.Writes(a.asked(since)) {
		found = append(found, request.String())
	}
	if diff := cmp.Diff(want, found); diff != "" {
		a.t.Errorf("the agent's writes (-want +got):\n%s", diff)
	}
}
