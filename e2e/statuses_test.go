package e2e

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	helmtime "helm.sh/helm/v3/pkg/time"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// history has the revisions of a release in Helm's storage, and the expected result of the agent.
type history struct {
	statuses []helm.Status
	age      time.Duration // of the newest revision
	line     string        // an additional line of the release in the helmfile
	owner    string        // another instance that owns the release

	want string // the expected report
	left string // the expected statuses of the revisions after the run
}

const long = 2 * time.Hour // no Helm client can still be working

// statuses has every status of Helm, for a first revision and for one after a good revision.
var statuses = map[string]history{
	"deployed":                          {statuses: []helm.Status{"deployed"}, want: "good unchanged done 1", left: "deployed"},
	"failed at first":                   {statuses: []helm.Status{"failed"}, want: "good upgrade done 2", left: "superseded deployed"},
	"failed later":                      {statuses: []helm.Status{"deployed", "failed"}, want: "good upgrade done 3", left: "superseded failed deployed"},
	"being installed":                   {statuses: []helm.Status{"pending-install"}, want: "good refuse failed 1", left: "pending-install"},
	"being installed for long":          {statuses: []helm.Status{"pending-install"}, age: long, want: "good install done 2", left: "failed deployed"},
	"being upgraded":                    {statuses: []helm.Status{"deployed", "pending-upgrade"}, want: "good refuse failed 2", left: "deployed pending-upgrade"},
	"being upgraded for long":           {statuses: []helm.Status{"deployed", "pending-upgrade"}, age: long, want: "good upgrade done 3", left: "superseded failed deployed"},
	"being rolled back for long":        {statuses: []helm.Status{"deployed", "failed", "pending-rollback"}, age: long, want: "good upgrade done 4", left: "superseded failed failed deployed"},
	"being uninstalled":                 {statuses: []helm.Status{"uninstalling"}, want: "good refuse failed 1", left: "uninstalling"},
	"being uninstalled for long":        {statuses: []helm.Status{"uninstalling"}, age: long, want: "good upgrade done 1", left: "deployed"},
	"being uninstalled after an update": {statuses: []helm.Status{"superseded", "uninstalling"}, age: long, want: "good upgrade done 1", left: "deployed"},
	"being uninstalled, with installed: false": {statuses: []helm.Status{"superseded", "uninstalling"}, line: "installed: false",
		want: "good refuse failed 2", left: "superseded uninstalling"},
	"being uninstalled for long, with installed: false": {statuses: []helm.Status{"superseded", "uninstalling"}, age: long, line: "installed: false",
		want: "good uninstall done 0", left: ""},
	"being upgraded, with installed: false": {statuses: []helm.Status{"deployed", "pending-upgrade"}, line: "installed: false",
		want: "good refuse failed 2", left: "deployed pending-upgrade"},
	"being upgraded for long, with installed: false": {statuses: []helm.Status{"deployed", "pending-upgrade"}, age: long, line: "installed: false",
		want: "good uninstall done 0", left: ""},
	"unknown":                                               {statuses: []helm.Status{"unknown"}, want: "good refuse failed 1", left: "unknown"},
	"unknown for long":                                      {statuses: []helm.Status{"unknown"}, age: long, want: "good upgrade done 2", left: "superseded deployed"},
	"unknown for long after an update":                      {statuses: []helm.Status{"deployed", "unknown"}, age: long, want: "good upgrade done 3", left: "superseded failed deployed"},
	"superseded without a newer revision":                   {statuses: []helm.Status{"superseded"}, want: "good install done 2", left: "superseded deployed"},
	"superseded twice, without a newer revision":            {statuses: []helm.Status{"superseded", "superseded"}, want: "good install done 3", left: "superseded superseded deployed"},
	"superseded without a newer revision, owned by another": {statuses: []helm.Status{"superseded"}, owner: "other", want: "good install failed 1", left: "superseded"},
	"uninstalled":                                           {statuses: []helm.Status{"uninstalled"}, want: "good install done 2", left: "superseded deployed"},
	"uninstalled, with its history":                         {statuses: []helm.Status{"superseded", "uninstalled"}, want: "good install done 3", left: "superseded superseded deployed"},
	"uninstalled, with installed: false":                    {statuses: []helm.Status{"superseded", "uninstalled"}, line: "installed: false", want: "good unchanged done 0", left: "superseded uninstalled"},
	"failed after an uninstallation":                        {statuses: []helm.Status{"uninstalled", "failed"}, want: "good upgrade done 3", left: "uninstalled superseded deployed"},
	"being upgraded for long, with a gap":                   {statuses: []helm.Status{"", "deployed", "pending-upgrade"}, age: long, want: "good upgrade done 4", left: "superseded failed deployed"},
}

// TestStatuses writes histories into Helm's storage, like interrupted operations, and runs the agent.
func TestStatuses(t *testing.T) {
	t.Parallel()
	s := newTestServers(t)
	for name, h := range statuses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.newAttempt(t)
			a.install()
			a.rewrite(h)
			if h.line != "" {
				a.repo.commit(t, files{"helmfile.yaml": strings.Replace(goodState["helmfile.yaml"], "- name: good", "- name: good\n    "+h.line, 1)}, "next")
			}
			output := a.make(badInput{})
			if diff := cmp.Diff([]string{h.want, "other unchanged done 1"}, output.actions()); diff != "" {
				t.Errorf("%s\n%s", diff, output.result)
			}
			if diff := cmp.Diff(h.left, strings.Join(a.statusesOf("good"), " ")); diff != "" {
				t.Errorf("the revisions: %s\n%s", diff, output.result)
			}
			if output.code == converged && h.line == "" {
				a.expectText("good", "first")
				a.expectNothingToDo()
			}
		})
	}
}

func (a *attempt) expectNothingToDo() {
	a.t.Helper()
	before := a.snapshot()
	if output := a.make(badInput{}); output.code != converged {
		a.t.Errorf("the next run did not converge: %s", output.result)
	}
	if diff := cmp.Diff(before.of("good"), a.snapshot().of("good")); diff != "" {
		a.t.Errorf("the next run did something: %s", diff)
	}
}

// rewrite replaces the only revision of the release good by the history.
func (a *attempt) rewrite(h history) {
	a.t.Helper()
	secrets := driver.NewSecrets(a.admin.CoreV1().Secrets(a.namespace))
	first := must(secrets.Delete("sh.helm.release.v1.good.v1"))(a.t)
	for i, status := range h.statuses {
		if status == "" {
			continue
		}
		revision := *first
		info := *first.Info
		revision.Info, revision.Version = &info, i+1
		info.Status = status
		info.LastDeployed = helmtime.Now().Add(-h.age)
		if h.owner != "" {
			revision.Labels = map[string]string{release.InstanceLabel: h.owner}
		}
		check(a.testing(), secrets.Create("sh.helm.release.v1.good.v"+string(rune('1'+i)), &revision))
	}
}

func (a *attempt) testing() *testing.T { return a.t.(*testing.T) }

// statusesOf returns the statuses of a release's revisions, older ones first.
func (a *attempt) statusesOf(name string) []string {
	a.t.Helper()
	var all []string
	for _, r := range revisions(a.testing(), a.namespace) {
		if r.Name == name {
			all = append(all, r.Info.Status.String())
		}
	}
	return all
}

// TestStatusesNotStored checks that a revision that Helm could not record does not count.
func TestStatusesNotStored(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 1<<20)
	_, err := rand.Read(noise)
	check(t, err)
	u := newTenant(t)
	repo := newRepository(t, ownRelease("", text).and("charts/own/noise", hex.EncodeToString(noise)))
	s, r := u.agent("run", "--repo", repo.url)
	if diff := cmp.Diff([]string{"own install failed 0"}, s.actions()); diff != "" {
		t.Errorf("%s\n%s", diff, r)
	}
	if !strings.Contains(r.stderr, `"msg":"release failed"`) || !strings.Contains(r.stderr, `"error":"`) {
		t.Errorf("the log does not say why: %s", r)
	}
}
