package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
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
	helm "helm.sh/helm/v3/pkg/release"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// story is a repository and the releases from it. A test describes it as commits and runs.
type story struct {
	tenant
	t     *testing.T
	repo  repository
	flags []string // flags of every run
}

// Exit codes that only these stories need.
const (
	pruneRefused = 19
	locked       = 20
)

// Entries that stories declare and remove. SECOND is the placeholder of another namespace in which the tenant has rights.
const (
	web      = "- {name: web, chart: ./chart}\n"
	db       = "- {name: db, chart: ./chart}\n"
	cache    = "- {name: cache, chart: ./chart}\n"
	mail     = "- {name: mail, chart: ./chart}\n"
	webAway  = "- {name: web, chart: ./chart, namespace: SECOND}\n"
	webOff   = "- {name: web, chart: ./chart, installed: false}\n"
	webKept  = "- {name: web, chart: ./chart, labels: {helmfile-agent.github.io/prune: keep}}\n"
	dbBroken = "- {name: db, chart: ./chart, values: [{broken: true}]}\n"
	dbRed    = "- {name: db, chart: ./chart, values: [{color: red}]}\n"
)

const (
	stateName         = "helmfile-agent-state"
	secondPlaceholder = "SECOND"
)

// storyChart is the chart of every release in a story. Its values cause failures.
var storyChart = map[string]string{
	"chart/Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.0.0\n",
	"chart/templates/all.yaml": `{{ if .Values.broken }}{{ fail "broken on purpose" }}{{ end }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  {{ with .Values.finalizer }}finalizers: [{{ . }}]{{ end }}
data:
  color: {{ .Values.color | default "blue" }}
{{ with .Values.farewell }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ . }}
  annotations: {helm.sh/hook: pre-delete}
{{ end }}
{{ if .Values.endless }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  selector:
    matchLabels: {app: endless}
  template:
    metadata:
      labels: {app: endless}
    spec:
      containers: [{name: app, image: registry.example.com/app:1}]
{{ end }}
`,
}

// runStories runs the stories in parallel.
func runStories(t *testing.T, stories map[string]func(*story)) {
	t.Parallel()
	for title, run := range stories {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			run(newStory(t))
		})
	}
}

func newStory(t *testing.T) *story {
	t.Helper()
	u := newTenant(t)
	return &story{tenant: u, t: t, repo: newRepository(t, storyChart)}
}

// withInstance returns another story of the same tenant, with its own repository and instance.
func (s *story) withInstance(instance string) *story {
	s.t.Helper()
	return &story{tenant: s.tenant, t: s.t, repo: newRepository(s.t, storyChart), flags: []string{"--instance", instance}}
}

// second returns the name of the other namespace.
func (s *story) second() string { return s.namespace + "-second" }

// bindSecond creates the other namespace and gives the tenant rights in it.
func (s *story) bindSecond() { bind(s.t, s.second(), s.user) }

// unbindSecond removes these rights, and returns when they are no longer in force.
func (s *story) unbindSecond() {
	s.t.Helper()
	check(s.t, client(s.t).RbacV1().RoleBindings(s.second()).DeleteCollection(s.t.Context(), meta.DeleteOptions{}, meta.ListOptions{}))
	for until := time.Now().Add(soon); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if r := s.tenant.run("", "helm", "list", "--namespace", s.second()); r.code != 0 {
			return
		}
	}
	s.t.Fatal("the rights stay in force")
}

// declares commits a helmfile with only these entries.
func (s *story) declares(entries ...string) {
	s.t.Helper()
	helmfile := "releases: []\n"
	if len(entries) > 0 {
		helmfile = "releases:\n" + strings.Join(entries, "")
	}
	s.commits(helmfile)
}

// commits commits a helmfile.yaml and other files. Each file is after a line "-- path/of/file --".
func (s *story) commits(text string) {
	s.t.Helper()
	s.repo.commit(s.t, sections(strings.NewReplacer(secondPlaceholder, s.second(), "NAMESPACE", s.namespace).Replace(text)), "next")
}

// commit returns the last commit of the repository.
func (s *story) commit() string { return must(s.repo.Head())(s.t) }

// finishedRun is the result of one process of the agent.
type finishedRun struct {
	summary
	result
	*story
	since cluster.Position
}

func (s *story) run(args ...string) finishedRun {
	s.t.Helper()
	return s.execute("run", append([]string{"--repo", s.repo.url}, args...)...)
}

// installs declares the entries and runs the agent. Every story begins with it.
func (s *story) installs(entries ...string) {
	s.t.Helper()
	s.declares(entries...)
	if c := s.run(); c.code != converged {
		s.t.Fatalf("the first commit was not installed: %s", c.result)
	}
}

// diff runs the command diff.
func (s *story) diff(args ...string) finishedRun {
	s.t.Helper()
	return s.execute("diff", append([]string{"--repo", s.repo.url}, args...)...)
}

func (s *story) execute(command string, args ...string) finishedRun {
	s.t.Helper()
	c := finishedRun{story: s, since: now(s.t)}
	c.summary, c.result = s.agent(command, append(slices.Clone(s.flags), args...)...)
	return c
}

// shows compares the exit code of the run, and its report in the form "db unchanged, web marked".
func (c finishedRun) shows(code int, picture string) finishedRun {
	c.t.Helper()
	if c.code != code || c.picture() != picture {
		c.t.Errorf("want %d: %s\n got %d: %s\n%s", code, picture, c.code, c.picture(), c.message())
	}
	return c
}

var words = map[string]string{
	"install": "installed", "upgrade": "upgraded", "uninstall": "uninstalled", "adopt": "adopted", "relabel": "relabelled", "leave": "left",
	"mark": "marked", "prune": "pruned", "orphan": "orphaned", "hold": "held", "refuse": "refused",
}

func (c finishedRun) picture() string {
	lines := make([]string, 0, len(c.Releases))
	for _, r := range c.Releases {
		word := r.Action
		if past, found := words[r.Action]; found {
			word = past
		}
		switch {
		case r.Result == "planned" && r.Action != "unchanged":
			word = "to " + r.Action
		case r.Result == "skipped", r.Result == "failed" && r.Action != "refuse":
			word = r.Result
		}
		lines = append(lines, c.prefix(r.Namespace)+r.Name+" "+word)
	}
	return strings.Join(lines, ", ")
}

// prefix returns the prefix of releases in a namespace: empty, or "SECOND/".
func (s *story) prefix(namespace string) string {
	if namespace == s.second() {
		return secondPlaceholder + "/"
	}
	return ""
}

// message returns all texts of the run: errors, warnings, reasons and standard error.
func (c finishedRun) message() string {
	lines := append([]string{c.Error}, c.Warnings...)
	for _, r := range c.Releases {
		lines = append(lines, c.prefix(r.Namespace)+r.Name+": "+r.Why+" "+r.Error)
	}
	return strings.Join(append(lines, c.stderr), "\n")
}

func (c finishedRun) says(parts ...string) finishedRun {
	c.t.Helper()
	contains(c.t, c.message(), parts...)
	return c
}

// writes compares the run's writes to the API server, such as "create configmaps, patch secrets". All writes except Events must happen
// while the run holds the lock. A run that writes nothing must not take the lock.
func (c finishedRun) writes(want string) finishedRun {
	c.t.Helper()
	var requested, locked []string
	for _, r := range cluster.Writes(requests(c.t, c.since, c.tenant)) {
		if r.Resource == "leases" {
			locked = append(locked, r.Verb)
			continue
		}
		requested = append(requested, r.Verb+" "+r.Resource)
		if r.Resource != "events" && len(locked) != 1 {
			c.t.Errorf("%s is written when the lock was written %d times", r, len(locked))
		}
	}
	if needsLock := slices.ContainsFunc(requested, func(write string) bool { return write != "create events" }); needsLock != (len(locked) == 2) {
		c.t.Errorf("writes %q, and to the lock: %q", requested, locked)
	}
	slices.Sort(requested)
	if got := strings.Join(requested, ", "); got != want {
		c.t.Errorf("writes: want %q, got %q", want, got)
	}
	return c
}

// writesNoState checks that the run wrote nothing except Events.
func (c finishedRun) writesNoState() {
	c.t.Helper()
	for _, r := range cluster.Writes(requests(c.t, c.since, c.tenant)) {
		if r.Resource != "events" {
			c.t.Errorf("the run wrote: %s", r)
		}
	}
}

// deletes compares the storage records that the run deleted, in order.
func (c finishedRun) deletes(want ...string) {
	c.t.Helper()
	var names []string
	for _, r := range cluster.Select(requests(c.t, c.since, c.tenant), cluster.Request{Verb: "delete", Resource: "secrets"}) {
		names = append(names, strings.Split(r.Name, ".")[4])
	}
	if diff := cmp.Diff(want, names); diff != "" {
		c.t.Errorf("uninstalled in another order: %s", diff)
	}
}

// has compares the installed releases in both namespaces, by Helm's records: "db 1, web 2".
func (s *story) has(want string) {
	s.t.Helper()
	newest := map[string]string{}
	for _, namespace := range []string{s.namespace, s.second()} {
		for _, r := range revisions(s.t, namespace) {
			name := s.prefix(namespace) + r.Name
			newest[name] = fmt.Sprintf("%s %d", name, r.Version)
		}
	}
	if got := strings.Join(slices.Sorted(maps.Values(newest)), ", "); got != want {
		s.t.Errorf("installed: want %q, got %q", want, got)
	}
}

// hasObject reports whether a ConfigMap exists.
func (s *story) hasObject(name string) bool {
	_, err := s.configMaps().Get(s.t.Context(), name, meta.GetOptions{})
	return err == nil
}

func (s *story) configMaps() corev1.ConfigMapInterface {
	return client(s.t).CoreV1().ConfigMaps(s.namespace)
}

// record returns the storage record of a revision.
func (s *story) record(name string, revision int) *core.Secret {
	s.t.Helper()
	return must(client(s.t).CoreV1().Secrets(s.namespace).Get(s.t.Context(), recordOf(name, revision), meta.GetOptions{}))(s.t)
}

func recordOf(name string, revision int) string {
	return fmt.Sprintf("sh.helm.release.v1.%s.v%d", name, revision)
}

// patches patches a storage record, like kubectl label and kubectl annotate.
func (s *story) patches(name string, revision int, patch string) {
	s.t.Helper()
	_, err := client(s.t).CoreV1().Secrets(s.namespace).Patch(s.t.Context(), recordOf(name, revision), types.MergePatchType, []byte(patch), meta.PatchOptions{})
	check(s.t, err)
}

func (s *story) patchObject(name, patch string) {
	s.t.Helper()
	must(s.configMaps().Patch(s.t.Context(), name, types.MergePatchType, []byte(patch), meta.PatchOptions{}))(s.t)
}

// hasOwner checks the labels of a record.
func (s *story) hasOwner(name string, revision int, instance string) {
	s.t.Helper()
	labels := s.record(name, revision).Labels
	if labels[release.InstanceLabel] != instance || len(labels[release.OriginLabel]) != 40 {
		s.t.Errorf("%s revision %d does not have the owner %s: %v", name, revision, instance, labels)
	}
}

// state returns the saved state of the instance.
func (s *story) state() release.InstanceState {
	s.t.Helper()
	stored := must(s.configMaps().Get(s.t.Context(), stateName, meta.GetOptions{}))(s.t)
	return must(release.DecodeState(stored.Data["state.json"]))(s.t)
}

// hasMarks compares the marked releases with the number of runs that marked them: "web 1".
func (s *story) hasMarks(want string) {
	s.t.Helper()
	var marks []string
	for _, mark := range s.state().Marks {
		marks = append(marks, fmt.Sprintf("%s%s %d", s.prefix(mark.Namespace), mark.Name, mark.Runs))
	}
	if got := strings.Join(marks, ", "); got != want {
		s.t.Errorf("marks: want %q, got %q", want, got)
	}
}

// editsState edits the saved state, for example to give a mark another time.
func (s *story) editsState(edit func(*release.InstanceState)) {
	s.t.Helper()
	state := s.state()
	edit(&state)
	s.overwritesState(must(state.Encode())(s.t))
}

func (s *story) overwritesState(state string) {
	s.t.Helper()
	stored := must(s.configMaps().Get(s.t.Context(), stateName, meta.GetOptions{}))(s.t)
	stored.Data = map[string]string{"state.json": state}
	must(s.configMaps().Update(s.t.Context(), stored, meta.UpdateOptions{}))(s.t)
}

func (s *story) deletesState() {
	s.t.Helper()
	check(s.t, s.configMaps().Delete(s.t.Context(), stateName, meta.DeleteOptions{}))
}

func (s *story) hasState() bool {
	s.t.Helper()
	_, err := s.configMaps().Get(s.t.Context(), stateName, meta.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		s.t.Fatal(err)
	}
	return err == nil
}

// hasEvents compares the Events of the agent, such as "web PruneMarked", in any order.
func (s *story) hasEvents(want ...string) {
	s.t.Helper()
	all := must(client(s.t).CoreV1().Events(s.namespace).List(s.t.Context(), meta.ListOptions{}))(s.t)
	var events []string
	for _, e := range all.Items {
		if e.Source.Component == "helmfile-agent" {
			name, _, _ := strings.Cut(e.Name, ".")
			events = append(events, strings.TrimPrefix(e.Type+" ", core.EventTypeNormal+" ")+name+" "+e.Reason)
		}
	}
	slices.Sort(events)
	slices.Sort(want)
	if diff := cmp.Diff(want, events); diff != "" {
		s.t.Errorf("Events: %s", diff)
	}
}

// chartDir returns the directory of the chart, for the real helm.
func (s *story) chartDir() string { return filepath.Join(checkout(s.t, storyChart), "chart") }

// duringRun calls happens once during a run, after the agent has read the cluster and before it writes: when it gets the index of a chart
// repository. It returns the lines of the helmfile that declare this chart repository.
func (s *story) duringRun(happens func()) (repositories string) {
	s.t.Helper()
	charts := must(servers.NewChartRepository(servers.Options{}))(s.t)
	s.t.Cleanup(charts.Close)
	must(charts.Add(s.chartDir()))(s.t)
	proxy := httputil.NewSingleHostReverseProxy(must(url.Parse(charts.URL))(s.t))
	var once sync.Once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/index.yaml" {
			once.Do(happens)
		}
		proxy.ServeHTTP(w, r)
	}))
	s.t.Cleanup(server.Close)
	return "repositories: [{name: served, url: " + server.URL + "}]\n"
}

// served is like db, with the chart from the chart repository.
const served = "- {name: db, chart: served/small, version: 1.0.0}\n"

// stopped starts a run, waits until a revision is pending, and sends SIGTERM.
func (s *story) stopped() finishedRun {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), processTimeout)
	defer cancel()
	c := finishedRun{story: s, since: now(s.t)}
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "helmfile-agent"),
		"run", "--repo", s.repo.url, "--namespace", s.namespace, "--output", "json", "--log-level", "warn")
	cmd.Env = s.environment()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	check(s.t, cmd.Start())
	for until := time.Now().Add(soon); !s.pending() && time.Now().Before(until); {
		time.Sleep(50 * time.Millisecond)
	}
	check(s.t, cmd.Process.Signal(syscall.SIGTERM))
	_ = cmd.Wait() // the test checks the exit code
	c.result = result{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	check(s.t, json.Unmarshal(stdout.Bytes(), &c.summary))
	return c
}

func (s *story) pending() bool {
	return slices.ContainsFunc(revisions(s.t, s.namespace), func(r *helm.Release) bool { return r.Info.Status.IsPending() })
}
