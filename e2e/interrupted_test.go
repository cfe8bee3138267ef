package e2e

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
)

// quickStop is the longest time in which the agent must stop if it has nothing to clean up.
const quickStop = 8 * time.Second

// atomicReleases has releases that never become ready, each with the expected revisions after an interruption.
var atomicReleases = map[string]struct {
	commit files
	why    string
	left   []string
}{
	"an upgrade is rolled back": {
		ownChart(files{"templates/deployment.yaml": deployment, "templates/text.yaml": text}).
			and("helmfile.yaml", good("chart: ./charts/own", "atomic: true")["helmfile.yaml"]),
		"it is atomic, and was rolled back to revision 1", []string{"superseded", "failed", "deployed"},
	},
	"an upgrade with a hook is rolled back": {
		ownChart(files{"templates/job.yaml": hook, "templates/text.yaml": text}).
			and("helmfile.yaml", good("chart: ./charts/own", "atomic: true")["helmfile.yaml"]),
		"it is atomic, and was rolled back to revision 1", []string{"superseded", "failed", "deployed"},
	},
	"an installation is uninstalled": {
		ownChart(files{"templates/deployment.yaml": deployment}).
			and("helmfile.yaml", goodState["helmfile.yaml"]+late+"    atomic: true\n"),
		"it is atomic, and was uninstalled", nil,
	},
}

// TestInterruptedAtomic stops runs during atomic operations. They end at once, with a report, and the operation is rolled back.
func TestInterruptedAtomic(t *testing.T) {
	t.Parallel()
	s := newTestServers(t)
	for name, test := range atomicReleases {
		release := "good"
		if test.left == nil {
			release = "late"
		}
		t.Run("by SIGTERM "+name, func(t *testing.T) {
			t.Parallel()
			a := s.newAttempt(t)
			a.install()
			output := a.terminated(badInput{mistake: "never ends", files: test.commit}, release)
			output.expect(badInput{code: terminated, message: []string{"stopped by signal: terminated", test.why}}, a)
			a.expectRolledBack(output, quickStop, release, test.left)
		})
		t.Run("by the deadline "+name, func(t *testing.T) {
			t.Parallel()
			a := s.newAttempt(t)
			a.install()
			output := a.make(badInput{mistake: "never ends", files: test.commit, args: []string{"--timeout", "12s"}})
			output.expect(badInput{code: releasesFailed, message: []string{test.why, "it may take 5m0s, and the run left it ", "raise --timeout"}}, a)
			a.expectRolledBack(output, 14*time.Second, release, test.left)
		})
	}
}

func (a *attempt) expectRolledBack(output agentOutput, within time.Duration, release string, left []string) {
	a.t.Helper()
	if output.took > within {
		a.t.Errorf("the agent took %s to stop", output.took)
	}
	if diff := cmp.Diff(left, a.statusesOf(release)); diff != "" {
		a.t.Errorf("the revisions of %s: %s", release, diff)
	}
	a.expectText("good", "first")
	if left := must(a.admin.AppsV1().Deployments(a.namespace).List(a.t.Context(), meta.ListOptions{}))(a.t); len(left.Items) > 0 {
		a.t.Errorf("Deployments are left behind: %d", len(left.Items))
	}
	if output := a.make(badInput{mistake: "corrected", files: goodState}); output.code != converged {
		a.t.Errorf("the next run did not recover: %s", output.result)
	}
}

// TestInterruptedRollback stops a run that waits for a rollback.
func TestInterruptedRollback(t *testing.T) {
	t.Parallel()
	s := newTestServers(t)
	a := s.newAttempt(t)
	a.install()
	a.repo.commit(t, ownChart(files{"templates/deployment.yaml": deployment}), "never ready, and not waited for")
	if output := a.make(badInput{}); output.code != converged {
		t.Fatal(output.result)
	}
	a.repo.commit(t, ownChart(files{"templates/deployment.yaml": deployment + "      terminationGracePeriodSeconds: 1\n"}).
		and("helmfile.yaml", good("chart: ./charts/own", "atomic: true", "timeout: 4")["helmfile.yaml"]), "fails")
	output := a.terminatedWhile(badInput{}, "good", func(status string) bool { return status == "pending-rollback" })
	output.expect(badInput{code: terminated, message: []string{"could not be rolled back"}}, a)
	if output.took > soon {
		t.Errorf("the agent took %s to stop", output.took)
	}
	if diff := cmp.Diff([]string{"superseded", "deployed", "failed", "failed"}, a.statusesOf("good")); diff != "" {
		t.Error(diff)
	}
}

// TestInterruptedEvents stops a run that has upgraded one release and works on another. There are Events for both.
func TestInterruptedEvents(t *testing.T) {
	t.Parallel()
	a := newTestServers(t).newAttempt(t)
	a.install()
	upgraded := strings.Replace(goodState["helmfile.yaml"], "text: first", "text: second", 1)
	output := a.terminated(badInput{mistake: "never ends", files: ownChart(files{"templates/job.yaml": hook}).
		and("helmfile.yaml", upgraded+late+"    needs: [good]\n")}, "late")
	output.expect(badInput{code: terminated, message: []string{"stopped by signal: terminated"}}, a)
	events := must(a.admin.CoreV1().Events(a.namespace).List(t.Context(), meta.ListOptions{}))(t)
	var reasons []string
	for _, e := range events.Items {
		if e.Source.Component == "helmfile-agent" {
			name, _, _ := strings.Cut(e.Name, ".")
			reasons = append(reasons, name+" "+e.Reason)
		}
	}
	slices.Sort(reasons)
	if diff := cmp.Diff([]string{"good Installed", "good Upgraded", "late Failed", "other Installed"}, reasons); diff != "" {
		t.Errorf("the Events: %s", diff)
	}
}

// TestInterruptedUninstall stops an uninstallation. The next run always succeeds.
func TestInterruptedUninstall(t *testing.T) {
	t.Parallel()
	s := newTestServers(t)
	a := s.newAttempt(t)
	a.install()
	endless := strings.Replace(hook, "pre-install,pre-upgrade", "post-delete", 1)
	a.repo.commit(t, ownChart(files{"templates/job.yaml": endless, "templates/text.yaml": text}), "never goes")
	if output := a.make(badInput{}); output.code != converged {
		t.Fatal(output.result)
	}
	a.repo.commit(t, good("chart: ./charts/own", "installed: false"), "away with it")
	output := a.terminatedWhile(badInput{}, "good", func(status string) bool { return status == "uninstalling" })
	output.expect(badInput{code: terminated, message: []string{"good: interrupted, and tried again by the next run"}}, a)
	if output.took > quickStop {
		t.Errorf("the agent took %s to stop", output.took)
	}
	if left := a.statusesOf("good"); slices.Contains(left, "uninstalling") { // failed, or deleted except for its last hook
		t.Errorf("a revision is still uninstalling: %q", left)
	}
	a.repo.commit(t, goodState, "back with it")
	if output := a.make(badInput{}); output.code != converged {
		t.Errorf("the next run did not recover: %s", output.result)
	}
	a.expectText("good", "first")
}

// TestUnresponsiveChartHost has one release whose chart host never answers. The agent refuses it, and does not delay the others.
func TestUnresponsiveChartHost(t *testing.T) {
	t.Parallel()
	silent := newUnresponsiveHost(t)
	u := newTenant(t)
	repo := newRepository(t, ownRelease("", text).and("helmfile.yaml", `
repositories:
- {name: silent, url: "http://`+silent+`"}
releases:
- {name: own, chart: ./charts/own}
- {name: first, chart: silent/one, version: 1.0.0}
- {name: second, chart: silent/two}
`))
	began := time.Now()
	s, r := u.agent("run", "--repo", repo.url, "--timeout", "20s", "--concurrency", "1")
	expectActions(t, s, "first refuse failed 0", "own install done 1", "second refuse failed 0")
	if r.code != releasesFailed || time.Since(began) > 12*time.Second {
		t.Errorf("want exit code %d in less time: %s", releasesFailed, r)
	}
	for i, why := range map[int]string{0: "load chart silent/one: " + silent + " did not answer within ", 2: "chart silent/two was not fetched: " + silent} {
		if len(s.Releases) > i && !strings.Contains(s.Releases[i].Error, why) {
			t.Errorf("%q does not contain %q", s.Releases[i].Error, why)
		}
	}
}

// TestUnresponsiveAPIServer has an API server that never answers. The message names the server and the request.
func TestUnresponsiveAPIServer(t *testing.T) {
	t.Parallel()
	silent := newUnresponsiveHost(t)
	u := newTenant(t)
	config := must(clientcmd.LoadFromFile(u.kubeconfig))(t)
	for _, c := range config.Clusters {
		c.Server = "https://" + silent
	}
	u.kubeconfig = t.TempDir() + "/silent"
	check(t, clientcmd.WriteToFile(*config, u.kubeconfig))
	repo := newRepository(t, ownRelease("", text)).url
	for command, message := range map[string]string{"run": "read the lock of instance helmfile-agent at ", "diff": "discover the APIs of "} {
		s, r := u.agent(command, "--repo", repo, "--timeout", "4s")
		if want := message + "https://" + silent; r.code != deadline || !strings.HasPrefix(s.Error, want) || !strings.HasSuffix(s.Error, "the run did not end within 4s") {
			t.Errorf("want %q: %s", want, r)
		}
	}
}

// newUnresponsiveHost returns the address of a server that accepts connections and never answers.
func newUnresponsiveHost(t *testing.T) string {
	t.Helper()
	listener := must((&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}
