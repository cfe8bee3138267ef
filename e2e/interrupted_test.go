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

// swift bounds how long an agent may take to stop when nothing keeps it from it.
const swift = 8 * time.Second

// atomicReleases are those that never become ready, each with what is left of it when it is interrupted.
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

// TestInterruptedAtomic ends runs in the middle of something atomic: they still end at once, with a report, and what was begun
// is taken back.
func TestInterruptedAtomic(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for name, test := range atomicReleases {
		release := "good"
		if test.left == nil {
			release = "late"
		}
		t.Run("by SIGTERM "+name, func(t *testing.T) {
			t.Parallel()
			a := s.newAttempt(t)
			a.install()
			said := a.terminated(badInput{does: "never ends", files: test.commit}, release)
			said.expect(badInput{code: terminated, names: []string{"stopped by signal: terminated", test.why}}, a)
			a.expectTakenBack(said, swift, release, test.left)
		})
		t.Run("by the deadline "+name, func(t *testing.T) {
			t.Parallel()
			a := s.newAttempt(t)
			a.install()
			said := a.make(badInput{does: "never ends", files: test.commit, args: []string{"--timeout", "12s"}})
			said.expect(badInput{code: releasesFailed, names: []string{test.why, "it may take 5m0s, and the run left it ", "raise --timeout"}}, a)
			a.expectTakenBack(said, 14*time.Second, release, test.left)
		})
	}
}

func (a *attempt) expectTakenBack(said said, within time.Duration, release string, left []string) {
	a.t.Helper()
	if said.took > within {
		a.t.Errorf("the agent took %s to stop", said.took)
	}
	if diff := cmp.Diff(left, a.statusesOf(release)); diff != "" {
		a.t.Errorf("the revisions of %s: %s", release, diff)
	}
	a.expectText("good", "first")
	if left := must(a.admin.AppsV1().Deployments(a.namespace).List(a.t.Context(), meta.ListOptions{}))(a.t); len(left.Items) > 0 {
		a.t.Errorf("Deployments are left behind: %d", len(left.Items))
	}
	if said := a.make(badInput{does: "put right", files: goodState}); said.code != converged {
		a.t.Errorf("the next run did not recover: %s", said.result)
	}
}

// TestInterruptedRollback stops a run that waits for what it rolls back.
func TestInterruptedRollback(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	a := s.newAttempt(t)
	a.install()
	a.repo.commit(t, ownChart(files{"templates/deployment.yaml": deployment}), "never ready, and not waited for")
	if said := a.make(badInput{}); said.code != converged {
		t.Fatal(said.result)
	}
	a.repo.commit(t, ownChart(files{"templates/deployment.yaml": deployment + "      terminationGracePeriodSeconds: 1\n"}).
		and("helmfile.yaml", good("chart: ./charts/own", "atomic: true", "timeout: 4")["helmfile.yaml"]), "fails")
	said := a.terminatedWhile(badInput{}, "good", func(status string) bool { return status == "pending-rollback" })
	said.expect(badInput{code: terminated, names: []string{"could not be rolled back"}}, a)
	if said.took > soon {
		t.Errorf("the agent took %s to stop", said.took)
	}
	if diff := cmp.Diff([]string{"superseded", "deployed", "failed", "failed"}, a.statusesOf("good")); diff != "" {
		t.Error(diff)
	}
}

// TestInterruptedEvents stops a run that has upgraded one release and is in the middle of another: the Events tell of both.
func TestInterruptedEvents(t *testing.T) {
	t.Parallel()
	a := newStand(t).newAttempt(t)
	a.install()
	upgraded := strings.Replace(goodState["helmfile.yaml"], "text: first", "text: second", 1)
	said := a.terminated(badInput{does: "never ends", files: ownChart(files{"templates/job.yaml": hook}).
		and("helmfile.yaml", upgraded+late+"    needs: [good]\n")}, "late")
	said.expect(badInput{code: terminated, names: []string{"stopped by signal: terminated"}}, a)
	events := must(a.admin.CoreV1().Events(a.namespace).List(t.Context(), meta.ListOptions{}))(t)
	var told []string
	for _, e := range events.Items {
		if e.Source.Component == "helmfile-agent" {
			name, _, _ := strings.Cut(e.Name, ".")
			told = append(told, name+" "+e.Reason)
		}
	}
	slices.Sort(told)
	if diff := cmp.Diff([]string{"good Installed", "good Upgraded", "late Failed", "other Installed"}, told); diff != "" {
		t.Errorf("the Events: %s", diff)
	}
}

// TestInterruptedUninstall stops an uninstallation. Whatever it came to, the next run needs no help.
func TestInterruptedUninstall(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	a := s.newAttempt(t)
	a.install()
	endless := strings.Replace(hook, "pre-install,pre-upgrade", "post-delete", 1)
	a.repo.commit(t, ownChart(files{"templates/job.yaml": endless, "templates/text.yaml": text}), "never goes")
	if said := a.make(badInput{}); said.code != converged {
		t.Fatal(said.result)
	}
	a.repo.commit(t, good("chart: ./charts/own", "installed: false"), "away with it")
	said := a.terminatedWhile(badInput{}, "good", func(status string) bool { return status == "uninstalling" })
	said.expect(badInput{code: terminated, names: []string{"good: interrupted, and tried again by the next run"}}, a)
	if said.took > swift {
		t.Errorf("the agent took %s to stop", said.took)
	}
	if left := a.statusesOf("good"); slices.Contains(left, "uninstalling") { // failed, or gone but for its last hook
		t.Errorf("nobody knows that nobody is at work: %q", left)
	}
	a.repo.commit(t, goodState, "back with it")
	if said := a.make(badInput{}); said.code != converged {
		t.Errorf("the next run did not recover: %s", said.result)
	}
	a.expectText("good", "first")
}

// TestInterruptedChart has one release whose chart's host never answers: it is refused, and the others are not kept waiting.
func TestInterruptedChart(t *testing.T) {
	t.Parallel()
	silent := newSilent(t)
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
	for i, why := range map[int]string{0: "load chart silent/one: " + silent + " did not answer within ", 2: "chart silent/two was not asked for: " + silent} {
		if len(s.Releases) > i && !strings.Contains(s.Releases[i].Error, why) {
			t.Errorf("%q does not contain %q", s.Releases[i].Error, why)
		}
	}
}

// TestInterruptedFirstWord has an API server that never answers: the message says who did not answer what.
func TestInterruptedFirstWord(t *testing.T) {
	t.Parallel()
	silent := newSilent(t)
	u := newTenant(t)
	config := must(clientcmd.LoadFromFile(u.kubeconfig))(t)
	for _, c := range config.Clusters {
		c.Server = "https://" + silent
	}
	u.kubeconfig = t.TempDir() + "/silent"
	check(t, clientcmd.WriteToFile(*config, u.kubeconfig))
	repo := newRepository(t, ownRelease("", text)).url
	for command, asked := range map[string]string{"run": "read the lock of instance helmfile-agent at ", "diff": "discover the APIs of "} {
		s, r := u.agent(command, "--repo", repo, "--timeout", "4s")
		if want := asked + "https://" + silent; r.code != deadline || !strings.HasPrefix(s.Error, want) || !strings.HasSuffix(s.Error, "the run did not end within 4s") {
			t.Errorf("want %q: %s", want, r)
		}
	}
}

// newSilent is the address of a host that takes connections and never says anything.
func newSilent(t *testing.T) string {
	t.Helper()
	listener := must((&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}
