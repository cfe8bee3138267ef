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
	authentication "k8s.io/api/authentication/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// TestLease checks that runs of one instance do not write at the same time.
func TestLease(t *testing.T) { runStories(t, leaseStories) }

const leaseName = "helmfile-agent"

// stuck is atomic and waits for a hook that never runs. The release after needs it.
const stuck = `- {name: stuck, chart: ./stuck, atomic: true}
- {name: after, chart: ./chart, needs: [stuck]}
-- stuck/Chart.yaml --
apiVersion: v2
name: stuck
version: 1.0.0
-- stuck/templates/hook.yaml --
` + hook

var leaseStories = map[string]func(*story){
	"two runs read the same state, and only one of them writes": func(s *story) {
		entries := strings.Builder{}
		for i := range 10 {
			fmt.Fprintf(&entries, "- {name: app-%d, chart: served/small, version: 1.0.0}\n", i)
		}
		s.commits(s.waitForRuns(2) + "releases:\n" + entries.String())
		one, other := s.starts(), s.starts()
		winner, loser := one.finishes(), other.finishes()
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

	"a run that must write does not start while another run holds the lock, and names the holder": func(s *story) {
		s.setsHolder("other-pod_1", time.Now().Add(-time.Second))
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

	"the ConfigMap of another application is not used as the state": func(s *story) {
		foreign := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: stateName}, Data: map[string]string{"state.json": "{}"}}
		must(client(s.t).CoreV1().ConfigMaps(s.namespace).Create(s.t.Context(), foreign, meta.CreateOptions{}))(s.t)
		s.declares(web)
		says := "ConfigMap " + s.namespace + "/" + stateName + " does not belong to instance helmfile-agent: it has no labels; nothing was changed"
		s.run().shows(configInvalid, "").says(says).writes("")
		s.diff().shows(configInvalid, "").says(says).writes("")
		s.destroy("--yes").shows(configInvalid, "").says(says).writes("")
	},

	"a run that would only save its state does not start either": func(s *story) {
		s.installs(db, web)
		s.setsHolder("other-pod_1", time.Now())
		s.declares(db)
		s.run().shows(locked, "db unchanged, web to mark").writes("")
		s.hasMarks("")
	},

	"a run with nothing to write works while another run holds the lock": func(s *story) {
		s.installs(web)
		s.setsHolder("other-pod_1", time.Now())
		s.run().shows(converged, "web unchanged").writes("")
	},

	"diff does not read the Lease": func(s *story) {
		s.setsHolder("other-pod_1", time.Now())
		s.declares(web)
		c := s.diff().shows(converged, "web to install").writes("")
		if requested := cluster.Select(requests(s.t, c.since, s.tenant), cluster.Request{Resource: "leases"}); len(requested) > 0 {
			s.t.Errorf("the diff requested Leases: %v", requested)
		}
	},

	"a lock that was not renewed for a long time is taken over": func(s *story) {
		s.setsHolder("dead-pod_1", time.Now().Add(-10*time.Minute))
		s.declares(web)
		s.run().shows(converged, "web installed")
		s.lockIsFree()
		if n := *s.lease().Spec.LeaseTransitions; n != 8 {
			s.t.Errorf("the holder has changed %d times", n)
		}
	},

	"clocks may differ by a minute": func(s *story) {
		s.setsHolder("other-pod_1", time.Now().Add(-90*time.Second))
		s.declares(web)
		s.run().shows(locked, "web to install").says("other-pod_1")
		s.setsHolder("other-pod_1", time.Now().Add(30*time.Second))
		s.run().shows(locked, "web to install").says("other-pod_1")
	},

	"a run ends if another run took and released the lock after it read the Lease": func(s *story) {
		repositories := s.duringRun(func() { s.setsHolder("", time.Now()) })
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(locked, "db to install").says("another run held the lock", "while this one looked", "nothing was changed").writesNothing()
		s.run().shows(converged, "db installed")
	},

	"the lock is released when releases have failed": func(s *story) {
		s.declares("- {name: web, chart: ./chart, values: [{color: [not, text]}]}\n", db)
		s.run().shows(releasesFailed, "db installed, web failed")
		s.lockIsFree()
	},

	"the lock is released on SIGTERM": func(s *story) {
		s.declares(stuck)
		s.stopped().shows(terminated, "after skipped, stuck failed")
		s.lockIsFree()
	},

	"the lock of a killed run expires": func(s *story) {
		s.declares(stuck)
		p := s.starts()
		p.waitsFor(s.pending)
		check(s.t, p.Process.Kill())
		p.waits()
		who := s.holder()
		s.declares(db, stuck)
		s.run().shows(locked, "after to install, db to install, stuck refused").says("another run holds the lock: " + who)
		s.agesLease(10 * time.Minute)
		s.declares(db, "- {name: stuck, chart: ./chart}\n") // its revision is not waited for
		s.run().shows(converged, "db installed, stuck installed")
		s.lockIsFree()
		s.has("db 1, stuck 2")
	},

	"a lock whose holder's pod is gone is taken over at once": func(s *story) {
		s.setsHolder("dead-pod_1", time.Now())
		s.declares(web)
		s.run().shows(locked, "web to install")
		s.holderIsIn(s.namespace + "/dead-pod/1234")
		s.run().shows(converged, "web installed")
		s.lockIsFree()
	},

	"a lock whose holder's pod is there is not": func(s *story) {
		pod := must(client(s.t).CoreV1().Pods(s.namespace).Create(s.t.Context(), &core.Pod{
			ObjectMeta: meta.ObjectMeta{Name: "agent"}, Spec: core.PodSpec{Containers: []core.Container{{Name: "agent", Image: "registry.example.com/agent:1"}}},
		}, meta.CreateOptions{}))(s.t)
		s.setsHolder("agent_1", time.Now())
		s.holderIsIn(s.namespace + "/agent/" + string(pod.UID))
		s.declares(web)
		s.run().shows(locked, "web to install")
		pod.Status.Phase = core.PodFailed
		must(client(s.t).CoreV1().Pods(s.namespace).UpdateStatus(s.t.Context(), pod, meta.UpdateOptions{}))(s.t)
		s.run().shows(converged, "web installed")
	},

	"a run names its own pod, which it knows from its token": func(s *story) {
		pods, accounts := client(s.t).CoreV1().Pods(s.namespace), client(s.t).CoreV1().ServiceAccounts(s.namespace)
		pod := must(pods.Create(s.t.Context(), &core.Pod{
			ObjectMeta: meta.ObjectMeta{Name: "agent"}, Spec: core.PodSpec{Containers: []core.Container{{Name: "agent", Image: "registry.example.com/agent:1"}}},
		}, meta.CreateOptions{}))(s.t)
		token := must(accounts.CreateToken(s.t.Context(), "default", &authentication.TokenRequest{Spec: authentication.TokenRequestSpec{
			BoundObjectRef: &authentication.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
		}}, meta.CreateOptions{}))(s.t)
		bindAccount(s.t, s.namespace)
		config := must(clientcmd.LoadFromFile(s.kubeconfig))(s.t)
		for _, user := range config.AuthInfos {
			user.Token = token.Status.Token
		}
		s.kubeconfig = s.t.TempDir() + "/kubeconfig"
		check(s.t, clientcmd.WriteToFile(*config, s.kubeconfig))
		s.declares(web)
		s.run().shows(converged, "web installed")
		if got, want := s.lease().Annotations[podAnnotation], s.namespace+"/agent/"+string(pod.UID); got != want {
			s.t.Errorf("the Lease names the pod %q, want %q", got, want)
		}
	},

	"a run that loses the lock stops": func(s *story) {
		s.declares(stuck)
		p := s.starts()
		p.waitsFor(func() bool { // from then on, Helm only waits
			_, err := client(s.t).BatchV1().Jobs(s.namespace).Get(s.t.Context(), "stuck", meta.GetOptions{})
			return err == nil
		})
		s.setsHolder("thief_1", time.Now())
		stolen := now(s.t)
		c := p.finishes().shows(locked, "after skipped, stuck failed").says("the lock was lost: thief_1 holds it now")
		if s.holder() != "thief_1" || s.hasState() {
			s.t.Errorf("the lock is held by %q, and there is a saved state: %t", s.holder(), s.hasState())
		}
		c.since = stolen
		var written []string
		for _, r := range cluster.Writes(requests(s.t, stolen, s.tenant)) {
			written = append(written, fmt.Sprintf("%s %s %d", r.Verb, r.Resource, r.Code))
		}
		// The run marks its own revision as failed, so that no other run waits for it. The next run rolls it back. Events need no lock.
		if diff := cmp.Diff([]string{"update leases 409", "update secrets 200", "create events 201"}, slices.Compact(written)); diff != "" {
			s.t.Error(diff)
		}
		s.has("stuck 1")
	},

	"destroy takes the lock and removes it in the end": func(s *story) {
		s.installs(web)
		s.setsHolder("other-pod_1", time.Now())
		s.destroy("--yes").shows(locked, "web to prune").says("other-pod_1").writes("")
		s.has("web 1")
		s.setsHolder("", time.Now())
		s.destroy("--yes").shows(converged, "web pruned")
		if _, err := s.leases().Get(s.t.Context(), leaseName, meta.GetOptions{}); !apierrors.IsNotFound(err) {
			s.t.Errorf("the Lease is left behind: %v", err)
		}
		s.destroy("--yes").shows(converged, "").writes("")
	},
}

// TestLeaseOfAnotherInstance checks that two instances in one namespace have separate locks.
func TestLeaseOfAnotherInstance(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.setsHolder("other-pod_1", time.Now())
	other := s.withInstance("other")
	other.declares(web)
	other.run().shows(converged, "web installed")
	if s.holder() != "other-pod_1" {
		t.Errorf("the lock is held by %q", s.holder())
	}
}

// TestLeaseNeedsRights checks that the agent checks its rights for the Lease before it writes anything, and prints the missing rules.
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

const podAnnotation = "helmfile-agent.github.io/pod"

// holderIsIn has the Lease name the pod of its holder.
func (s *story) holderIsIn(pod string) {
	s.t.Helper()
	lease := s.lease()
	lease.Annotations = map[string]string{podAnnotation: pod}
	must(s.leases().Update(s.t.Context(), lease, meta.UpdateOptions{}))(s.t)
}

// bindAccount gives the ServiceAccount default the rights of a tenant.
func bindAccount(t *testing.T, namespace string) {
	t.Helper()
	must(client(t).RbacV1().RoleBindings(namespace).Create(t.Context(), &rbac.RoleBinding{
		ObjectMeta: meta.ObjectMeta{Name: "account"},
		RoleRef:    rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "ClusterRole", Name: "admin"},
		Subjects:   []rbac.Subject{{Kind: rbac.ServiceAccountKind, Name: "default", Namespace: namespace}},
	}, meta.CreateOptions{}))(t)
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

// setsHolder writes the Lease like another run that renewed it at the given time. An empty holder means that the lock is free.
func (s *story) setsHolder(who string, renewed time.Time) {
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

// ownLabels returns the labels of the agent's own objects.
func ownLabels(instance string) map[string]string {
	return map[string]string{"app.kubernetes.io/managed-by": "helmfile-agent", release.InstanceLabel: instance}
}

// agesLease moves the last renewal into the past.
func (s *story) agesLease(older time.Duration) {
	s.t.Helper()
	lease := s.lease()
	at := meta.NewMicroTime(lease.Spec.RenewTime.Add(-older))
	lease.Spec.RenewTime = &at
	must(s.leases().Update(s.t.Context(), lease, meta.UpdateOptions{}))(s.t)
}

// writesNothing checks the requests of this run only, while another client writes.
func (c finishedRun) writesNothing() {
	c.t.Helper()
	for _, r := range cluster.Writes(requests(c.t, c.since, c.tenant)) {
		if r.Resource != "leases" || r.Code < 400 { // a refused request does not count
			c.t.Errorf("the run wrote: %s", r)
		}
	}
}

// waitForRuns starts a chart repository that answers only when this number of runs have asked for its index. They have then read the
// cluster.
func (s *story) waitForRuns(runs int) (repositories string) {
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

// process is an active run.
type process struct {
	*exec.Cmd
	s              *story
	since          cluster.Position
	stdout, stderr bytes.Buffer
}

func (s *story) starts(args ...string) *process {
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

// waitsFor returns when the condition is true. It fails the test after a timeout.
func (p *process) waitsFor(condition func() bool) {
	p.s.t.Helper()
	for until := time.Now().Add(soon); !condition(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			_ = p.Process.Signal(syscall.SIGKILL) // the test has already failed
			p.waits()
			p.s.t.Fatalf("the run does not come to it: %s", p.stderr.String())
		}
	}
}

func (p *process) waits() { _ = p.Wait() } // the test checks the exit code

func (p *process) finishes() finishedRun {
	p.s.t.Helper()
	p.waits()
	c := finishedRun{story: p.s, since: p.since, result: result{code: p.ProcessState.ExitCode(), stdout: p.stdout.String(), stderr: p.stderr.String()}}
	check(p.s.t, json.Unmarshal(p.stdout.Bytes(), &c.summary))
	return c
}
