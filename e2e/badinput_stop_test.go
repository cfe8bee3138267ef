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

// endless has commits with a release that waits for a pod, in a cluster without nodes. Each has a commit that corrects it, and the expected
// report of that run.
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
		"late", files{"charts/own/templates/job.yaml": text}, "late install done 2",
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

// soon is the longest time in which the agent must stop. Kubernetes kills it after 30 seconds.
const soon = 20 * time.Second

// TestBadInputStopped stops runs during an upgrade that never ends. No revision stays pending, and the next run, with a commit that
// corrects the mistake, succeeds.
func TestBadInputStopped(t *testing.T) {
	t.Parallel()
	s := newTestServers(t)
	for while, commit := range endless {
		names := []string{"<namespace>/" + commit.release + ": interrupted, and tried again by the next run"}
		t.Run("by SIGTERM "+while, func(t *testing.T) {
			t.Parallel()
			a := s.newAttempt(t)
			a.install()
			output := a.terminated(badInput{mistake: "never ends", files: commit.bad}, commit.release)
			output.expect(badInput{code: terminated, message: append(names, "stopped by signal: terminated")}, a)
			a.expectRecovery(commit.right, commit.recovered)
		})
		t.Run("by the deadline "+while, func(t *testing.T) {
			t.Parallel()
			a := s.newAttempt(t)
			a.install()
			output := a.make(badInput{mistake: "never ends", files: commit.bad, args: []string{"--timeout", "8s"}})
			output.expect(badInput{code: releasesFailed, message: []string{"it may take 5m0s, and the run left it ", "raise --timeout"}}, a)
			if output.took > 10*time.Second {
				t.Errorf("the agent took %s to stop", output.took)
			}
			a.expectRecovery(commit.right, commit.recovered)
		})
	}
}

// terminated runs the agent until a revision is pending, and sends SIGTERM.
func (a *attempt) terminated(bad badInput, release string) agentOutput {
	a.t.Helper()
	a.repo.commit(a.t, bad.files, bad.mistake)
	return a.terminatedWhile(bad, release, pending)
}

// terminatedWhile runs the agent and sends SIGTERM as soon as a revision of the release has the status.
func (a *attempt) terminatedWhile(bad badInput, release string, status func(string) bool) agentOutput {
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
	signalled := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		a.t.Fatal(err)
	}
	_ = cmd.Wait() // the test checks the exit code
	if took := time.Since(signalled); took > soon {
		a.t.Errorf("the agent took %s to stop", took)
	}
	return a.read(cmd, stdout.Bytes(), stderr.String(), time.Since(signalled))
}

// await returns when a revision has the status. It fails the test after a timeout.
func (a *attempt) await(cmd *exec.Cmd, release string, status func(string) bool) {
	a.t.Helper()
	for until := time.Now().Add(soon); !slices.ContainsFunc(a.statusesOf(release), status); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			_ = cmd.Process.Kill() // the test has already failed
			a.t.Fatalf("no revision became pending: %q", a.statuses())
		}
	}
}

func pending(status string) bool { return strings.HasPrefix(status, "pending-") }

// statuses returns the statuses of all revisions in Helm's records.
func (a *attempt) statuses() []string {
	a.t.Helper()
	records := must(a.admin.CoreV1().Secrets(a.namespace).List(a.t.Context(), meta.ListOptions{LabelSelector: "owner=helm"}))(a.t)
	var all []string
	for _, record := range records.Items {
		all = append(all, record.Labels["status"])
	}
	return all
}

// expectRecovery checks that the release is failed and not pending, and that the next commit corrects it.
func (a *attempt) expectRecovery(right files, recovered string) {
	a.t.Helper()
	statuses := a.statuses()
	if !slices.Contains(statuses, "failed") || slices.ContainsFunc(statuses, pending) {
		a.t.Errorf("want a failed release and none pending, got %q", statuses)
	}
	output := a.make(badInput{mistake: "corrected", files: right})
	if output.code != converged || !slices.Contains(output.actions(), recovered) {
		a.t.Errorf("the next run did not recover: %q, %s", output.actions(), output.result)
	}
	a.expectText("good", "first")
}
