//go:build linux

package node

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// TestSelfManaged follows examples/self-managed: the agent's helmfile contains the agent's own chart.
func TestSelfManaged(t *testing.T) {
	t.Parallel()
	p := newTestNamespace(t)
	files := selfManaged(p, "0.1.0", "")
	p.commit(files, "the example")

	t.Log("a person installs it once, with the values from the repository")
	own := filepath.Join(t.TempDir(), "agent.yaml")
	p.must(os.WriteFile(own, []byte(files["agent.yaml"]), 0o600))
	p.helm("install", "helmfile-agent", chartDir(), "--values", own)
	a := &agent{testNamespace: p, release: "helmfile-agent"}

	t.Log("the first run adopts it without a new revision, and installs the other releases")
	if o := a.converges("adopts"); !strings.Contains(o.message, "1 installed, 1 adopted") {
		t.Errorf("the first run: %s", o.message)
	}
	a.has("web 1")
	a.isAt("helmfile-agent 1")

	t.Log("an upgrade that the API server refuses fails, and the old agent keeps running")
	p.commit(selfManaged(p, "0.1.1", "mistyped: true\n"), "mistyped")
	if o := a.run("mistyped"); o.String() != tried+" [18]" || !strings.Contains(o.message, "mistyped") {
		t.Errorf("%s: %s", o, o.message)
	}
	t.Log("a commit that gives the agent a right that it does not hold is refused")
	p.commit(selfManaged(p, "0.1.1", "rbac: {kinds: [configmaps, serviceaccounts, cronjobs.batch, endpoints]}\n"), "greedy")
	if o := a.run("greedy"); o.String() != tried+" [18]" || !strings.Contains(o.message, "not currently held") {
		t.Errorf("%s: %s", o, o.message)
	}
	a.isAt("helmfile-agent 1, helmfile-agent 2, helmfile-agent 3") // the third revision rolls back the second

	t.Log("an agent that is no longer declared stays, because a label says to keep it")
	p.commit(map[string]string{"helmfile.yaml": "releases: [{name: web, chart: ./chart}]\n"}, "without the agent")
	a.converges("kept")
	a.converges("kept-again")
	if got := a.chartLabel(); got != "helmfile-agent-0.1.0" {
		t.Errorf("the CronJob is of %q", got)
	}

	t.Log("the agent upgrades itself by a commit, which also resumes its schedule")
	p.commit(selfManaged(p, "0.1.1", "cronjob: {suspend: false, schedule: '* * * * *'}\n"), "upgrade the agent")
	a.converges("upgrades")
	a.isAt("helmfile-agent 1, helmfile-agent 2, helmfile-agent 3, helmfile-agent 4")
	if got := a.chartLabel(); got != "helmfile-agent-0.1.1" {
		t.Errorf("the CronJob is of %s", got)
	}

	t.Log("the upgraded agent runs on its schedule, and has nothing to do")
	before := a.now()
	fired := a.firing(0)
	if fired.String() == tried+" [20]" {
		fired = a.firing(1) // the schedule does not wait for the run that resumes it
	}
	a.succeeded(fired)
	a.wrote(before)
	a.isAt("helmfile-agent 1, helmfile-agent 2, helmfile-agent 3, helmfile-agent 4")
}

// selfManaged returns the example with the registry, the repository and the image of this test, and with additional values.
func selfManaged(p *testNamespace, version, more string) map[string]string {
	p.t.Helper()
	p.registryHas("0.1.0", "0.1.1")
	files, err := servers.Tree(os.DirFS("../../examples/self-managed"), "")
	p.must(err)
	files = maps.Clone(files)
	here := strings.NewReplacer(
		"url: ghcr.io/helmfile-agent/charts\n    oci: true", "url: "+outside.registry.Host()+"/charts\n    oci: true\n    caFile: /usr/local/share/ca-certificates/ca.crt",
		"version: 0.1.0", "version: "+version,
		"- agent.yaml", "- agent.yaml\n      - more.yaml",
	)
	files["helmfile.yaml"] = here.Replace(files["helmfile.yaml"])
	files["agent.yaml"] = strings.NewReplacer(
		"https://git.example.com/shop/config", outside.git.RepoURL(p.name),
		"existingSecret: git", "existingSecret: git\n  caKey: ca.crt",
		`schedule: "*/10 * * * *"`, `schedule: "*/10 * * * *"`+"\n  suspend: true",
	).Replace(files["agent.yaml"]) + `
image: {tag: ` + imageTag + `}
registry: {existingSecret: registry}
extraVolumes: [{name: authority, configMap: {name: registry}}]
extraVolumeMounts: [{name: authority, mountPath: /usr/local/share/ca-certificates, readOnly: true}]
`
	files["more.yaml"] = more
	return files
}

// registryHas pushes versions of the agent's chart, and gives the namespace access to them.
func (p *testNamespace) registryHas(versions ...string) {
	p.t.Helper()
	if _, err := p.client.CoreV1().Secrets(p.namespace).Get(p.t.Context(), "registry", meta.GetOptions{}); err == nil {
		return
	}
	for _, version := range versions {
		_, _, err := outside.registry.PushChartVersion(chartDir(), version)
		p.must(err)
	}
	p.mayPull()
}

// mayPull creates the Secret with the registry's credentials, and the ConfigMap with its certificate authority.
func (p *testNamespace) mayPull() {
	p.t.Helper()
	p.secret("registry", core.SecretTypeDockerConfigJson, map[string]string{core.DockerConfigJsonKey: login(p.t, outside.registry.Host())})
	authority := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "registry"}, Data: map[string]string{"ca.crt": string(outside.registry.CA)}}
	_, err := p.client.CoreV1().ConfigMaps(p.namespace).Create(p.t.Context(), authority, meta.CreateOptions{})
	p.must(err)
}

// isAt compares the revisions of the agent's own release.
func (a *agent) isAt(want string) {
	a.t.Helper()
	if got := a.revisions("owner=helm,name=" + a.release); got != want {
		a.t.Errorf("the agent is at %s, want %s", got, want)
	}
}

// chartLabel returns the chart label of the agent's CronJob, or nothing if the CronJob does not exist.
func (a *agent) chartLabel() string {
	a.t.Helper()
	found, err := a.client.BatchV1().CronJobs(a.namespace).Get(a.t.Context(), a.fullname(), meta.GetOptions{})
	if err != nil {
		return ""
	}
	return found.Labels["helm.sh/chart"]
}
