package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// TestLease tells how runs of one instance keep out of each other's way.
func TestLease(t *testing.T) { tellAll(t, leaseStories) }

const leaseName = "helmfile-agent"

// stuck is atomic and waits for a hook that nobody runs; after needs it.
const stuck = `- {name: stuck, chart: ./stuck, atomic: true}
- {name: after, chart: ./chart, needs: [stuck]}
-- stuck/Chart.yaml --
apiVersion: v2
name: stuck
version: 1.0.0
-- stuck/templates/hook.yaml --
` + hook

var leaseStories = map[string]func(*story){
	"two runs see the same and one of them acts": func(s *story) {
		entries := strings.Builder{}
		for i := range 10 {
			fmt.Fprintf(&entries, "- {name: app-%d, chart: served/small, version: 1.0.0}\n", i)
		}
		s.commits(s.together(2) + "releases:\n" + entries.String())
		one, other := s.begins(), s.begins()
		winner, loser := one.ends(), other.ends()
		if winner.code == locked {
			winner, loser = loser, winner
		}
		installed, seen := make([]string, 10), make([]string, 10)
		for i := range 10 {
			installed[i], seen[i] = fmt.Sprintf("app-%d installed", i), fmt.Sprintf("app-%d to install", i)
		}
		winner.shows(converged, strings.Join(installed, ", "))
		loser.shows(locked, strings.Join(seen, ", ")).says("another run h", "the lock", "Lease "+s.namespace+"/"+leaseName)
		if n := len(revisions(s.t, s.namespace)); n != 10 {
			s.t.Errorf("%d revisions of 10 releases", n)
		}
		if n := len(cluster.Select(requests(s.t, winner.since, s.tenant), cluster.Request{Verb: "create", Resource: "secrets"})); n != 10 {
			s.t.Errorf("%d records were created", n)
		}
		s.lockIsFree()
		s.run().shows(converged, strings.ReplaceAll(strings.Join(installed, ", "), "installed", "unchanged")).writes("")
	},

	"a run that would write does not begin beside another, and says who that is": func(s *story) {
		s.holds("other-pod_1", time.Now().Add(-time.Second))
		s.declares(web)
		s.run().shows(locked, "web to install").
			says("another run holds the lock: other-pod_1 since 2026-01-02T03:04:05Z (Lease "+s.namespace+"/helmfile-agent, renewed at ", "nothing was changed").
			writes("")
		s.has("")
		if got := s.holder(); got != "other-pod_1" {
			s.t.Errorf("the lock is held by %q", got)
		}
	},

	"the Lease of another application is not taken over": func(s *story) {
		holder := "controller-7c9_1"
		must(s.leases().Create(s.t.Context(), &coordination.Lease{
			ObjectMeta: meta.ObjectMeta{Name: leaseName, Labels: map[string]string{"app": "controller"}}, Spec: coordination.LeaseSpec{HolderIdentity: &holder},
		}, meta.CreateOptions{}))(s.t)
		s.declares(web)
		const says = "does not belong to instance helmfile-agent: it has the labels app=controller and is held by controller-7c9_1; nothing was changed"
		s.run().shows(configInvalid, "").says("Lease "+s.namespace+"/helmfile-agent "+says, "--instance").writes("")
		s.destroy("--yes").shows(configInvalid, "").says(says).writes("")
		s.has("")
		if got := s.holder(); got != holder {
			s.t.Errorf("the Lease is held by %q", got)
		}
	},

	"the ConfigMap of another application is not taken for the state": func(s *story) {
		foreign := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: stateName}, Data: map[string]string{"state.json": "{}"}}
		must(client(s.t).CoreV1().ConfigMaps(s.namespace).Create(s.t.Context(), foreign, meta.CreateOptions{}))(s.t)
		s.declares(web)
		says := "ConfigMap " + s.namespace + "/" + stateName + " does not belong to instance helmfile-agent: it has no labels; nothing was changed"
		s.run().shows(configInvalid, "").says(says).writes("")
		s.diff().shows(configInvalid, "").says(says).writes("")
		s.destroy("--yes").shows(configInvalid, "").says(says).writes("")
	},

	"a run that would only save its state does not either": func(s *story) {
		s.installs(db, web)
		s.holds("other-pod_1", time.Now())
		s.declares(db)
		s.run().shows(locked, "db unchanged, web to mark").writes("")
		s.marks("")
	},

	"a run with nothing to do goes on beside another": func(s *story) {
		s.installs(web)
		s.holds("other-pod_1", time.Now())
		s.run().shows(converged, "web unchanged").writes("")
	},

	"a diff does not even look who is at work": func(s *story) {
		s.holds("other-pod_1", time.Now())
		s.declares(web)
		c := s.diff().shows(converged, "web to install").writes("")
		if asked := cluster.Select(requests(s.t, c.since, s.tenant), cluster.Request{Resource: "leases"}); len(asked) > 0 {
			s.t.Errorf("asked %v", asked)
		}
	},

	"a lock whose holder has been silent for long is taken over": func(s *story) {
		s.holds("dead-pod_1", time.Now().Add(-10*time.Minute))
		s.declares(web)
		s.run().shows(converged, "web installed")
		s.lockIsFree()
		if n := *s.lease().Spec.LeaseTransitions; n != 8 {
			s.t.Errorf("the holder has changed %d times", n)
		}
	},

	"clocks may differ by a minute": func(s *story) {
		s.holds("other-pod_1", time.Now().Add(-90*time.Second))
		s.declares(web)
		s.run().shows(locked, "web to install").says("other-pod_1")
		s.holds("other-pod_1", time.Now().Add(30*time.Second))
		s.run().shows(locked, "web to install").says("other-pod_1")
	},

	"whoever came and went while a run looked may have changed what it saw": func(s *story) {
		repositories := s.meanwhile(func() { s.holds("", time.Now()) })
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(locked, "db to install").says("another run held the lock", "while this one looked", "nothing was changed").writesNothing()
		s.run().shows(converged, "db installed")
	},

	"the lock is given back when releases have failed": func(s *story) {
		s.declares("- {name: web, chart: ./chart, values: [{color: [not, text]}]}\n", db)
		s.run().shows(releasesFailed, "db installed, web failed")
		s.lockIsFree()
	},

	"the lock is given back on SIGTERM": func(s *story) {
		s.declares(stuck)
		s.stopped().shows(terminated, "after skipped, stuck failed")
		s.lockIsFree()
	},

	"a run that is killed keeps others out for a while, not for ever": func(s *story) {
		s.declares(stuck)
		p := s.begins()
		p.awaits(s.pending)
		check(s.t, p.Process.Kill())
		p.isOver()
		who := s.holder()
		s.declares(db, stuck)
		s.run().shows(locked, "after to install, db to install, stuck refused").says("another run holds the lock: " + who)
		s.grows(10 * time.Minute)
		s.run().shows(releasesFailed, "after skipped, db installed, stuck refused")
		s.lockIsFree()
	},

	"a run that loses the lock stops": func(s *story) {
		s.declares(stuck)
		p := s.begins()
		p.awaits(func() bool { // then Helm only waits
			_, err := client(s.t).BatchV1().Jobs(s.namespace).Get(s.t.Context(), "stuck", meta.GetOptions{})
			return err == nil
		})
		s.holds("thief_1", time.Now())
		stolen := now(s.t)
		c := p.ends().shows(locked, "after skipped, stuck failed").says("the lock was lost: thief_1 holds it now")
		if s.holder() != "thief_1" || s.hasState() {
			s.t.Errorf("the lock is held by %q, and there is a saved state: %t", s.holder(), s.hasState())
		}
		c.since = stolen
		var written []string
		for _, r := range cluster.Writes(requests(s.t, stolen, s.tenant)) {
			written = append(written, fmt.Sprintf("%s %s %d", r.Verb, r.Resource, r.Code))
		}
		// Its own revision is marked as failed, so that no run waits for it. The next run rolls it back. Events need no lock.
		if diff := cmp.Diff([]string{"update leases 409", "update secrets 200", "create events 201"}, slices.Compact(written)); diff != "" {
			s.t.Error(diff)
		}
		s.has("stuck 1")
	},

	"destroy takes the lock too, and in the end removes it": func(s *story) {
		s.installs(web)
		s.holds("other-pod_1", time.Now())
		s.destroy("--yes").shows(locked, "web to prune").says("other-pod_1").writes("")
		s.has("web 1")
		s.holds("", time.Now())
		s.destroy("--yes").shows(converged, "web pruned")
		if _, err := s.leases().Get(s.t.Context(), leaseName, meta.GetOptions{}); !apierrors.IsNotFound(err) {
			s.t.Errorf("the Lease is left behind: %v", err)
		}
		s.destroy("--yes").shows(converged, "").writes("")
	},
}

// TestLeaseOfAnotherInstance: two instances in one namespace do not wait for each other.
func TestLeaseOfAnotherInstance(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.holds("other-pod_1", time.Now())
	other := s.beside("other")
	other.declares(web)
	other.run().shows(converged, "web installed")
	if s.holder() != "other-pod_1" {
		t.Errorf("the lock is held by %q", s.holder())
	}
}

// TestLeaseNeedsRights: the rights to the lock are asked for before anything is written, and what grants them is printed.
func TestLeaseNeedsRights(t *testing.T) {
	t.Parallel()
	withoutLease := slices.DeleteFunc(slices.Clone(records), func(rule rbac.PolicyRule) bool { return rule.Resources[0] == "leases" })
	u := withRole(t, append(withoutLease, may("", "configmaps", "get", "list"))...)
	repo := newRepository(t, ownRelease("", text))
	s, r := u.agent("run", "--repo", repo.url)
	contains(t, s.Error, "create leases.coordination.k8s.io in namespace "+u.namespace+" (for the lock of instance helmfile-agent)",
		"get leases.coordination.k8s.io", "update leases.coordination.k8s.io")
	if r.code != forbidden || len(revisions(t, u.namespace)) != 0 {
		t.Error(r)
	}
	u.grant(s.Grant)
	u.converge("--repo", repo.url)
}

func (s *story) leases() typed.LeaseInterface {
	return client(s.t).CoordinationV1().Leases(s.namespace)
}

func (s *story) lease() *coordination.Lease {
	s.t.Helper()
	return must(s.leases().Get(s.t.Context(), leaseName, meta.GetOptions{}))(s.t)
}

func (s *story) holder() string {
	s.t.Helper()
	if who := s.lease().Spec.HolderIdentity; who != nil {
		return *who
	}
	return ""
}

func (s *story) lockIsFree() {
	s.t.Helper()
	if who := s.holder(); who != "" {
		s.t.Errorf("%s still holds the lock", who)
	}
}

// holds writes the Lease as another run would that has shown a sign of life at a time. Nobody is a holder too.
func (s *story) holds(who string, renewed time.Time) {
	s.t.Helper()
	transitions, seconds := int32(7), int32(60)
	since, at := meta.NewMicroTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), meta.NewMicroTime(renewed)
	lease := &coordination.Lease{
		ObjectMeta: meta.ObjectMeta{Name: leaseName, Labels: ownLabels(leaseName)},
		Spec:       coordination.LeaseSpec{LeaseDurationSeconds: &seconds, AcquireTime: &since, RenewTime: &at, LeaseTransitions: &transitions},
	}
	if who != "" {
		lease.Spec.HolderIdentity = &who
	}
	_, err := s.leases().Create(s.t.Context(), lease, meta.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		lease.ResourceVersion = s.lease().ResourceVersion
		_, err = s.leases().Update(s.t.Context(), lease, meta.UpdateOptions{})
	}
	check(s.t, err)
}

// ownLabels are those of the agent's own objects.
func ownLabels(instance string) map[string]string {
	return map[string]string{"app.kubernetes.io/managed-by": "helmfile-agent", release.InstanceLabel: instance}
}

// grows makes the holder's last sign of life older, as time would.
func (s *story) grows(older time.Duration) {
	s.t.Helper()
	lease := s.lease()
	at := meta.NewMicroTime(lease.Spec.RenewTime.Add(-older))
	lease.Spec.RenewTime = &at
	must(s.leases().Update(s.t.Context(), lease, meta.UpdateOptions{}))(s.t)
}

// writesNothing is for a scene in which somebody else writes.
func (c scene) writesNothing() {
	c.t.Helper()
	for _, r := range cluster.Writes(requests(c.t, c.since, c.tenant)) {
		if r.Resource != "leases" || r.Code < 400 { // what is refused is no write
			c.t.Errorf("the run wrote: %s", r)
		}
	}
}

// together is a chart repository that answers when so many runs have looked at the cluster and ask for its index.
func (s *story) together(runs int) (repositories string) {
	s.t.Helper()
	charts := must(servers.NewChartRepository(servers.Options{}))(s.t)
	s.t.Cleanup(charts.Close)
	must(charts.Add(s.chartDir()))(s.t)
	proxy := httputil.NewSingleHostReverseProxy(must(url.Parse(charts.URL))(s.t))
	var all sync.WaitGroup
	all.Add(runs)
	left := make(chan struct{}, runs)
	for range runs {
		left <- struct{}{}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/index.yaml" {
			select {
			case <-left:
				all.Done()
			default:
			}
			all.Wait()
		}
		proxy.ServeHTTP(w, r)
	}))
	s.t.Cleanup(server.Close)
	return "repositories: [{name: served, url: " + server.URL + "}]\n"
}

// process is a run under way.
type process struct {
	*exec.Cmd
	s              *story
	since          cluster.Position
	stdout, stderr bytes.Buffer
}

func (s *story) begins(args ...string) *process {
	s.t.Helper()
	args = append([]string{"run", "--repo", s.repo.url, "--namespace", s.namespace, "--output", "json", "--log-level", "warn"}, args...)
	ctx, cancel := context.WithTimeout(s.t.Context(), processTimeout)
	s.t.Cleanup(cancel)
	p := &process{s: s, since: now(s.t), Cmd: exec.CommandContext(ctx, filepath.Join(binaries, "helmfile-agent"), args...)}
	p.Env = s.environment()
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	check(s.t, p.Start())
	return p
}

// awaits returns when something is so, and ends the test when it does not come to that in time.
func (p *process) awaits(so func() bool) {
	p.s.t.Helper()
	for until := time.Now().Add(soon); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			_ = p.Process.Signal(syscall.SIGKILL) // the test has failed already
			p.isOver()
			p.s.t.Fatalf("the run does not come to it: %s", p.stderr.String())
		}
	}
}

func (p *process) isOver() { _ = p.Wait() } // its code says how

func (p *process) ends() scene {
	p.s.t.Helper()
	p.isOver()
	c := scene{story: p.s, since: p.since, result: result{code: p.ProcessState.ExitCode(), stdout: p.stdout.String(), stderr: p.stderr.String()}}
	check(p.s.t, json.Unmarshal(p.stdout.Bytes(), &c.summary))
	return c
}
