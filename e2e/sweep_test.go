package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	helm "helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// stage is one part of the scenario of the sweep: what is committed, and how often the agent runs.
type stage struct {
	name     string
	releases string
	destroy  bool          // the command; nothing is committed
	before   func(*sweeps) // what others do first
	runs     int           // 1 if it is 0
	code     int           // of the last run
	early    string        // what the first run must not delete
}

// sweepHooks are hooks of every event and of every delete policy.
var sweepHooks = []struct{ name, event, policy string }{
	{"a-pre-install", "pre-install", ""},
	{"b-pre-install", "pre-install", "hook-failed"},
	{"a-post-install", "post-install", "hook-succeeded"},
	{"b-post-install", "post-install", "before-hook-creation"},
	{"a-pre-upgrade", "pre-upgrade", "hook-succeeded"},
	{"b-pre-upgrade", "pre-upgrade", ""},
	{"a-post-upgrade", "post-upgrade", "before-hook-creation,hook-succeeded"},
	{"a-pre-rollback", "pre-rollback", "hook-succeeded,hook-failed"},
	{"a-post-rollback", "post-rollback", "before-hook-creation"},
	{"a-pre-delete", "pre-delete", "hook-succeeded"},
	{"a-post-delete", "post-delete", "hook-succeeded,hook-failed"},
}

func sweepChart() files {
	text := strings.Builder{}
	text.WriteString(`apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {color: {{ .Values.color | default "blue" }}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-fixed}
immutable: true
data: {fixed: {{ .Values.fixed | default "one" }}}
{{ if .Values.bad }}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}-bad}
spec: {ports: [{port: 99999}]}
{{ end }}
{{ if .Values.more }}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}-more}
spec: {ports: [{port: 80}]}
{{ end }}
{{ if .Values.hooks }}
`)
	for _, hook := range sweepHooks {
		fmt.Fprintf(&text, "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-%s\n  annotations: {helm.sh/hook: %s", hook.name, hook.event)
		if hook.policy != "" {
			fmt.Fprintf(&text, ", helm.sh/hook-delete-policy: %q", hook.policy)
		}
		text.WriteString("}\n")
	}
	text.WriteString("{{ end }}\n")
	return files{"chart/Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.0.0\n", "chart/templates/all.yaml": text.String()}
}

const (
	sweepWeb      = "- {name: web, chart: ./chart, needs: [db], values: [{hooks: true}]}\n"
	sweepWebRed   = "- {name: web, chart: ./chart, needs: [db], values: [{hooks: true, color: red, more: true}]}\n"
	sweepWebBad   = "- {name: web, chart: ./chart, needs: [db], values: [{hooks: true, color: red, more: true, bad: true}]}\n"
	sweepWebGreen = "- {name: web, chart: ./chart, needs: [db], values: [{hooks: true, color: green}]}\n"
	sweepWebFixed = "- {name: web, chart: ./chart, needs: [db], values: [{hooks: true, color: green, fixed: two}]}\n"
	sweepWebAway  = "- {name: web, chart: ./chart, installed: false}\n"
	sweepAtomic   = "- {name: cache, chart: ./chart, atomic: true, timeout: 5, values: [{hooks: true, color: green, bad: true}]}\n"
)

// scenario is what most releases go through in their lives.
var scenario = []stage{
	{name: "install", releases: db + sweepWeb + cacheHooks},
	{name: "upgrade", releases: dbRed + sweepWebRed + cacheHooks},
	{name: "correction", releases: dbRed + sweepWebRed + cacheHooks, before: func(s *sweeps) {
		must(s.configMaps().Patch(s.t.Context(), "web", types.MergePatchType, []byte(`{"data":{"color":"pink"}}`), meta.PatchOptions{}))(s.t)
		check(s.t, s.configMaps().Delete(s.t.Context(), "db", meta.DeleteOptions{}))
	}},
	{name: "failed upgrade", releases: dbRed + sweepWebBad + cacheHooks, code: releasesFailed},
	{name: "its repair", releases: dbRed + sweepWebGreen + cacheHooks},
	{name: "immutable field", releases: dbRed + sweepWebFixed + cacheHooks, code: releasesFailed},
	{name: "atomic", releases: dbRed + sweepWebGreen + sweepAtomic, code: releasesFailed},
	{name: "adoption", releases: dbRed + sweepWebGreen + cacheHooks + mail, before: func(s *sweeps) {
		if r := s.tenant.run("", "helm", "install", "mail", s.chart); r.code != 0 {
			s.t.Fatal(r)
		}
	}},
	{name: "uninstall", releases: dbRed + sweepWebAway + cacheHooks + mail},
	{name: "prune", releases: dbRed + mail, runs: 2, early: "delete configmaps/cache"},
	{name: "destroy", destroy: true},
}

const cacheHooks = "- {name: cache, chart: ./chart, values: [{hooks: true}]}\n"

// sweeps is one tenant that goes through the scenario.
type sweeps struct {
	*story
	proxy *sweepProxy
	chart string
}

func newSweeps(t *testing.T) *sweeps {
	t.Helper()
	u := newTenant(t)
	s := &sweeps{story: &story{tenant: u, t: t, repo: newRepository(t, sweepChart())}, chart: filepath.Join(checkout(t, sweepChart()), "chart")}
	var kubeconfig string
	s.proxy, kubeconfig = newSweepProxy(t, u)
	s.env = append(s.env, "HELMFILE_AGENT_KUBECONFIG="+kubeconfig)
	return s
}

// runs is one process of the agent behind the proxy.
func (s *sweeps) runs(st stage) result {
	s.t.Helper()
	args := []string{"run", "--repo", s.repo.url}
	if st.destroy {
		args = []string{"destroy", "--yes"}
	}
	args = append(args, "--namespace", s.namespace, "--output", "json", "--log-level", "warn", "--timeout", "1m")
	ctx, cancel := context.WithTimeout(s.t.Context(), processTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "helmfile-agent"), args...)
	cmd.Env = s.environment()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	check(s.t, cmd.Start())
	s.proxy.runs(cmd.Process)
	_ = cmd.Wait() // its code says how
	s.proxy.flying.Wait()
	return result{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}

// podIsGone has the Lease name a pod that does not exist, as the pod of a killed run does after a while.
func (s *sweeps) podIsGone() {
	s.t.Helper()
	lease, err := s.leases().Get(s.t.Context(), leaseName, meta.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && (lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "") {
		return
	}
	check(s.t, err)
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:"%s/gone/1234"}}}`, podAnnotation, s.namespace)
	must(s.leases().Patch(s.t.Context(), leaseName, types.MergePatchType, []byte(patch), meta.PatchOptions{}))(s.t)
}

// outcome is the state of the cluster after a stage, as far as it must not depend on what went wrong.
type outcome struct {
	Code     int
	Objects  map[string]string
	Releases map[string]string
	Problems []string
}

func (s *sweeps) outcome(code int) outcome {
	s.t.Helper()
	o := outcome{Code: code, Objects: map[string]string{}, Releases: map[string]string{}}
	for _, c := range configMaps(s.t, s.namespace) {
		o.Objects["ConfigMap "+c.Name] = fmt.Sprint(c.Data, c.Annotations["meta.helm.sh/release-name"])
	}
	services := must(client(s.t).CoreV1().Services(s.namespace).List(s.t.Context(), meta.ListOptions{}))(s.t)
	for _, service := range services.Items {
		o.Objects["Service "+service.Name] = service.Annotations["meta.helm.sh/release-name"]
	}
	byName := map[string][]*helm.Release{}
	for _, r := range revisions(s.t, s.namespace) {
		byName[r.Name] = append(byName[r.Name], r)
	}
	for name, all := range byName {
		newest, deployed := all[len(all)-1], 0
		o.Releases[name] = newest.Info.Status.String() + " " + newest.Manifest
		for i, r := range all {
			if r.Version != all[0].Version+i { // Helm removes the oldest
				o.Problems = append(o.Problems, fmt.Sprintf("%s: a revision is missing before %d", name, r.Version))
			}
			if r.Info.Status == helm.StatusDeployed {
				deployed++
			}
			if r.Info.Status.IsPending() || r.Info.Status == helm.StatusUninstalling {
				o.Problems = append(o.Problems, fmt.Sprintf("%s: revision %d is %s", name, r.Version, r.Info.Status))
			}
		}
		if deployed != 1 {
			o.Problems = append(o.Problems, fmt.Sprintf("%s: %d revisions are deployed", name, deployed))
		}
	}
	lease, err := s.leases().Get(s.t.Context(), leaseName, meta.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		o.Objects["Lease"] = "none"
	case err == nil && lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "" && !strings.Contains(lease.Annotations[podAnnotation], "/gone/"):
		o.Problems = append(o.Problems, "the lock is held")
	}
	return o
}

// begins is what happens before the runs of a stage.
func (s *sweeps) begins(st stage) {
	s.t.Helper()
	if st.before != nil {
		st.before(s)
	}
	if !st.destroy {
		s.declares(st.releases)
	}
}

// expected is a stage in which nothing goes wrong.
type expected struct {
	outcome
	hooks            []string
	requests, writes int
}

// hooksOf are the hooks of a release among what was written, in order.
func hooksOf(written []string) (hooks []string) {
	for _, write := range written {
		name, created := strings.CutPrefix(write, "create configmaps/")
		for _, hook := range sweepHooks {
			if created && strings.HasSuffix(name, "-"+hook.name) {
				hooks = append(hooks, name)
			}
		}
	}
	return hooks
}

// releaseOf is the release that a hook belongs to.
func releaseOf(hook string) string {
	name, _, _ := strings.Cut(hook, "-")
	return name
}

// missingHooks says which hooks did not run in the order in which they should have. Releases go on beside each other.
func missingHooks(want, got []string) (missing []string) {
	for _, release := range []string{"db", "web", "cache", "mail"} {
		rest := slices.DeleteFunc(slices.Clone(got), func(hook string) bool { return releaseOf(hook) != release })
		for _, hook := range want {
			if releaseOf(hook) != release {
				continue
			}
			i := slices.Index(rest, hook)
			if i < 0 {
				missing = append(missing, hook)
				continue
			}
			rest = rest[i+1:]
		}
	}
	return missing
}

// undisturbed goes through the scenario once, with a proxy that only counts.
func undisturbed(t *testing.T) (all []expected) {
	t.Helper()
	s := newSweeps(t)
	for _, st := range scenario {
		s.begins(st)
		var r result
		var e expected
		for range max(1, st.runs) {
			s.proxy.arm(fault{reads: true}, -1)
			r = s.runs(st)
			e.requests += s.proxy.counted
			e.writes += s.proxy.writes
			e.hooks = append(e.hooks, hooksOf(s.proxy.has())...)
		}
		e.outcome = s.outcome(r.code)
		if r.code != st.code || len(e.Problems) > 0 {
			t.Fatalf("%s: the undisturbed scenario is wrong: %v\n%s", st.name, e.Problems, r)
		}
		all = append(all, e)
	}
	return all
}

// furtherRuns is how many runs may follow one in which something went wrong.
const furtherRuns = 2

// sweep lets one request of each stage go wrong, and compares what comes of it.
func (s *sweeps) sweep(f fault, at int, want []expected, totals *sweepTotals) {
	s.t.Helper()
	for i, st := range scenario {
		s.begins(st)
		at := pointIn(f, at, want[i])
		s.proxy.arm(f, at)
		var r result
		for n := range max(1, st.runs) {
			r = s.runs(st)
			if n == 0 && st.early != "" && slices.Contains(s.proxy.has(), st.early) {
				s.t.Errorf("%s: pruned early: %q", st.name, s.proxy.has())
			}
			if !s.proxy.firedAt().IsZero() {
				break
			}
		}
		fired := s.proxy.disarm()
		first, got, more := r, s.outcome(r.code), 0
		for ; more < furtherRuns && !cmp.Equal(want[i].outcome, got); more++ {
			s.podIsGone()
			r = s.runs(st)
			got = s.outcome(r.code)
		}
		missing := missingHooks(want[i].hooks, hooksOf(s.proxy.has()))
		diff := cmp.Diff(want[i].outcome, got)
		if !fired.IsZero() {
			totals.add(f, fmt.Sprint(st.name, at), more, time.Since(fired), diff != "", len(missing) > 0)
		}
		if diff != "" || len(missing) > 0 {
			s.t.Errorf("%s, request %d: after %d further runs hooks are missing: %q, and the state differs (-want +got):\n%s\nwritten: %q\nthe first run: %s\nthe last run: %s",
				st.name, at, more, missing, diff, s.proxy.has(), first, r)
			return // the rest of the scenario would differ too
		}
	}
}

// sweepTotals are the results of the points, by fault.
type sweepTotals struct {
	mu    sync.Mutex
	lines map[string]*sweepLine
	seen  map[string]bool // points: a short sweep may come to one again
}

type sweepLine struct {
	points, different, hooks int
	after                    [furtherRuns + 1]int
	took                     []time.Duration
}

func (t *sweepTotals) add(f fault, point string, more int, took time.Duration, different, hooks bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen[f.name+point] && !different && !hooks {
		return
	}
	t.seen[f.name+point] = true
	line := t.lines[f.name]
	if line == nil {
		line = &sweepLine{}
		t.lines[f.name] = line
	}
	line.points++
	if different {
		line.different++
	} else {
		line.after[more]++
		line.took = append(line.took, took)
	}
	if hooks {
		line.hooks++
	}
}

func (t *sweepTotals) table() string {
	table := strings.Builder{}
	table.WriteString("| what goes wrong | points | done by the same run | by the next | by the one after | different | hooks missing | median time | longest |\n|---|---|---|---|---|---|---|---|---|\n")
	var sum sweepLine
	line := func(name string, l *sweepLine) {
		slices.Sort(l.took)
		median, longest := time.Duration(0), time.Duration(0)
		if n := len(l.took); n > 0 {
			median, longest = l.took[n/2], l.took[n-1]
		}
		fmt.Fprintf(&table, "| %s | %d | %d | %d | %d | %d | %d | %.1f s | %.1f s |\n", name, l.points, l.after[0], l.after[1], l.after[2], l.different, l.hooks, median.Seconds(), longest.Seconds())
	}
	for _, f := range faults {
		l := t.lines[f.name]
		if l == nil {
			continue
		}
		line(f.name, l)
		sum.points, sum.different, sum.hooks, sum.took = sum.points+l.points, sum.different+l.different, sum.hooks+l.hooks, append(sum.took, l.took...)
		for i := range l.after {
			sum.after[i] += l.after[i]
		}
	}
	line("all", &sum)
	return table.String()
}

// sampledPoints are the requests that a short sweep lets go wrong. SWEEP=all takes every one.
var sampledPoints = map[string][]int{
	"SIGKILL before a write":                {6},
	"SIGKILL after a write":                 {4},
	"SIGTERM after a write":                 {8},
	"the connection of a write drops after": {5},
}

// TestSweep lets requests of the agent go wrong, one in each stage of a scenario: before and after the API server gets them the agent is
// killed or told to stop, or the request or its answer is lost. At most two further runs must come to the same end.
func TestSweep(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	totals := &sweepTotals{lines: map[string]*sweepLine{}, seen: map[string]bool{}}
	t.Run("points", func(t *testing.T) {
		for _, f := range faults {
			for _, at := range pointsOf(f, want) {
				t.Run(fmt.Sprintf("%s/%d", f.name, at), func(t *testing.T) {
					t.Parallel()
					newSweeps(t).sweep(f, at, want, totals)
				})
			}
		}
	})
	t.Log("\n" + totals.table())
}

// pointsOf are the numbers of the requests that go wrong, each in a life of its own. SWEEP is "all", or n for every n-th; then requests
// that only read are a quarter.
func pointsOf(f fault, want []expected) (points []int) {
	every := 1
	switch asked := os.Getenv("SWEEP"); asked {
	case "":
		return sampledPoints[f.name]
	case "all":
	default:
		every, _ = strconv.Atoi(asked) // a panic below if it is no number
		if f.reads {
			every *= 4
		}
	}
	last := 0
	for _, e := range want {
		last = max(last, e.points(f))
	}
	for at := 1; at <= last; at += every {
		points = append(points, at)
	}
	return points
}

// points is how many requests of the stage can go wrong.
func (e expected) points(f fault) int {
	if f.reads {
		return e.requests
	}
	return e.writes
}

// pointIn is the request of a stage that goes wrong. A sweep that leaves points out begins again with a stage that has fewer requests.
func pointIn(f fault, at int, want expected) int {
	if at <= want.points(f) || os.Getenv("SWEEP") == "all" {
		return at
	}
	return (at-1)%want.points(f) + 1
}
