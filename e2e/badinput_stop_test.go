package e2e

import (
	"bytes"
	"context"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// endless are commits with a release that waits for a pod, in a cluster that has no node, each with a commit that puts it
// right and with what the agent makes of that.
var endless = map[string]struct {
	bad       files
	release   string
	right     files
	recovered string
}{
	"while it waits for a Deployment": {
		ownChart(files{"templates/deployment.yaml": deployment, "templates/text.yaml": text}).
			and("helmfile.yaml", good("chart: ./charts/own", "wait: true")["helmfile.yaml"]),
		"good", goodState, "good upgrade done 3",
	},
	"while a hook runs": {
		ownChart(files{"templates/job.yaml": hook, "templates/text.yaml": text}),
		"good", goodState, "good upgrade done 3",
	},
	"while it is installed": {
		ownChart(files{"templates/job.yaml": hook}).and("helmfile.yaml", goodState["helmfile.yaml"]+late),
		"late", files{"charts/own/templates/job.yaml": text}, "late upgrade done 2",
	},
}

const (
	late       = "  - name: late\n    chart: ./charts/own\n"
	text       = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  text: third\n"
	deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  selector:
    matchLabels: {app: good}
  template:
    metadata:
      labels: {app: good}
    spec:
      containers: [{name: app, image: registry.example.com/app:1}]
`
	hook = `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: app, image: registry.example.com/app:1}]
`
)

// soon bounds how long an agent may take to stop once it should: Kubernetes kills after 30 seconds.
const soon = 20 * time.Second

// TestBadInputStopped ends runs in the middle of an upgrade that never ends. Nothing stays pending, and the next run, with
// a commit that puts it right, needs no help.
func TestBadInputStopped(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for while, commit := range endless {
		names := []string{"<namespace>/" + commit.release + ": interrupted, and tried again by the next run"}
		t.Run("by SIGTERM "+while, func(t *testing.T) {
			t.Parallel()
			a := s.newAttempt(t)
			a.install()
			said := a.terminated(badInput{does: "never ends", files: commit.bad}, commit.release)
			said.expect(badInput{code: terminated, names: append(names, "stopped by signal: terminated")}, a)
			a.expectRecovery(commit.right, commit.recovered)
		})
		t.Run("by the deadline "+while, func(t *testing.T) {
			t.Parallel()
			a := s.newAttempt(t)
			a.install()
			said := a.make(badInput{does: "never ends", files: commit.bad, args: []string{"--timeout", "8s"}})
			said.expect(badInput{code: releasesFailed, names: []string{"it may take 5m0s, and the run left it ", "raise --timeout"}}, a)
			if said.took > 10*time.Second {
				t.Errorf("the agent took %s to stop", said.took)
			}
			a.expectRecovery(commit.right, commit.recovered)
		})
	}
}

// terminated runs the agent until it is in the middle of a release, and tells it to stop.
func (a *attempt) terminated(bad badInput, release string) said {
	a.t.Helper()
	a.repo.commit(a.t, bad.files, bad.does)
	return a.terminatedWhile(bad, release, pending)
}

// terminatedWhile tells it to stop as soon as a revision of the release has such a status.
func (a *attempt) terminatedWhile(bad badInput, release string, status func(string) bool) said {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), processTimeout)
	defer cancel()
	cmd := a.command(ctx, bad)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	a.await(cmd, release, status)
	told := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		a.t.Fatal(err)
	}
	_ = cmd.Wait() // its code says it
	if took := time.Since(told); took > soon {
		a.t.Errorf("the agent took %s to stop", took)
	}
	return a.read(cmd, stdout.Bytes(), stderr.String(), time.Since(told))
}

// await returns when a revision has such a status, and ends the test when none has it in time.
func (a *attempt) await(cmd *exec.Cmd, release string, status func(string) bool) {
	a.t.Helper()
	for until := time.Now().Add(soon); !slices.ContainsFunc(a.statusesOf(release), status); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			_ = cmd.Process.Kill() // the test has failed already
			a.t.Fatalf("no release came into the making: %q", a.statuses())
		}
	}
}

func pending(status string) bool { return strings.HasPrefix(status, "pending-") }

// statuses are those of Helm's records, of all revisions.
func (a *attempt) statuses() []string {
	a.t.Helper()
	records := must(a.admin.CoreV1().Secrets(a.namespace).List(a.t.Context(), meta.ListOptions{LabelSelector: "owner=helm"}))(a.t)
	var all []string
	for _, record := range records.Items {
		all = append(all, record.Labels["status"])
	}
	return all
}

// expectRecovery finds the release failed and not pending, and has the next commit put it right.
func (a *attempt) expectRecovery(right files, recovered string) {
	a.t.Helper()
	statuses := a.statuses()
	if !slices.Contains(statuses, "failed") || slices.ContainsFunc(statuses, pending) {
		a.t.Errorf("want a failed release and none pending, got %q", statuses)
	}
	said := a.make(badInput{does: "put right", files: right})
	if said.code != converged || !slices.Contains(said.actions(), recovered) {
		a.t.Errorf("the next run did not recover: %q, %s", said.actions(), said.result)
	}
	a.expectText("good", "first")
}
