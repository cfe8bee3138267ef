//go:build linux

package node

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestPod inspects the process of a run from the node, while the run waits for a Deployment. Then it deletes the pod.
func TestPod(t *testing.T) {
	t.Parallel()
	p := newTestNamespace(t)
	p.declares(gated)
	a := p.install("gitops")
	job := a.begin("run")
	a.eventually("the run installs", runTimeout, func(context.Context) bool { return a.revisions("owner=helm,name=gated") != "" })

	t.Log("the process has no root rights and no capabilities")
	process := p.process(job)
	for line, want := range map[string]string{
		"Uid:": "65532 65532 65532 65532", "Gid:": "65532 65532 65532 65532",
		"CapEff:": "0000000000000000", "CapBnd:": "0000000000000000", "NoNewPrivs:": "1", "Seccomp:": "2",
	} {
		if got := statusOf(t, process, line); got != want {
			t.Errorf("%s %q, want %q", line, got, want)
		}
	}
	t.Log("it can write to memory only")
	writable := writableMounts(t, process)
	if got := writable["/tmp"]; !strings.HasPrefix(got, "tmpfs ") || !strings.Contains(got, "size=131072k") {
		t.Errorf("/tmp is %q, want memory of its own, as much as the chart says", got)
	}
	for _, path := range []string{"/", "/etc/helmfile-agent/config", "/run/secrets/kubernetes.io/serviceaccount", "/var/run/secrets/kubernetes.io/serviceaccount"} {
		if kind, found := writable[path]; found {
			t.Errorf("%s (%s) can be written to", path, kind)
		}
	}

	t.Log("its token is valid for one hour, and not for one year as by default")
	if life := tokenLife(t, process); life != time.Hour {
		t.Errorf("the token is valid for %s", life)
	}

	t.Log("it ends cleanly when its pod is deleted")
	stopped := p.deletePod(job)
	if stopped == nil || stopped.ExitCode != 143 {
		t.Errorf("the deleted pod's container: %+v, want exit code 143\n%s", stopped, p.story())
	}
	if o := a.ended(job); !strings.HasPrefix(o.condition, "Failed") {
		t.Errorf("the Job: %s", o)
	}
	a.has("gated 1")
	if got := p.status("gated"); got != "failed" {
		t.Errorf("the interrupted release is %s, want it failed", got)
	}
	p.declares("- {name: gated, chart: ./chart}\n")
	a.converges("next")
	a.has("gated 1, gated 2")
}

// process returns the directory in /proc of the Job's agent. The test can see it because it runs in the PID namespace of the node.
func (p *testNamespace) process(job string) (directory string) {
	p.t.Helper()
	p.eventually("the agent's process is seen", runTimeout, func(context.Context) bool {
		statuses := p.pods(job)[0].Status.ContainerStatuses
		if len(statuses) == 0 {
			return false
		}
		id := strings.TrimPrefix(statuses[0].ContainerID, "containerd://") // empty until the kubelet reports it
		groups, err := filepath.Glob("/proc/[0-9]*/cgroup")
		p.must(err)
		for _, path := range groups {
			// Ignore a process that has ended.
			if content, err := os.ReadFile(path); err == nil && id != "" && bytes.Contains(content, []byte(id)) {
				directory = filepath.Dir(path)
				return true
			}
		}
		return false
	})
	return directory
}

// statusOf returns the value of a field in the process's status, with single spaces.
func statusOf(t *testing.T, process, word string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(process, "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if rest, found := strings.CutPrefix(line, word); found {
			return strings.Join(strings.Fields(rest), " ")
		}
	}
	return ""
}

// writableMounts returns the process's writable mounts, with their file systems and options.
func writableMounts(t *testing.T, process string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(process, "mounts"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		path, kind, options := fields[1], fields[2], fields[3]
		if !strings.HasPrefix(options, "ro") {
			found[path] = kind + " " + options
		}
	}
	return found
}

// tokenLife returns the validity of the token in the process's pod.
func tokenLife(t *testing.T, process string) time.Duration {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(process, "root/var/run/secrets/kubernetes.io/serviceaccount/token"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(token), ".")
	if len(parts) != 3 {
		t.Fatalf("the token has %d parts, want 3", len(parts))
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		From  int64 `json:"iat"`
		Until int64 `json:"exp"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return time.Duration(claims.Until-claims.From) * time.Second
}

// deletePod deletes the Job's pod, and returns the state of its terminated container. This state exists only while the pod is being
// deleted.
func (p *testNamespace) deletePod(job string) *core.ContainerStateTerminated {
	p.t.Helper()
	name := p.pods(job)[0].Name
	watch, err := p.client.CoreV1().Pods(p.namespace).Watch(p.t.Context(), meta.SingleObject(meta.ObjectMeta{Name: name}))
	p.must(err)
	defer watch.Stop()
	p.must(p.client.CoreV1().Pods(p.namespace).Delete(p.t.Context(), name, meta.DeleteOptions{}))
	for event := range watch.ResultChan() {
		pod, is := event.Object.(*core.Pod)
		if !is {
			p.t.Fatalf("watch pod %s: %v", name, event.Object)
		}
		if ended := agentState(*pod); ended != nil {
			return ended
		}
	}
	return nil
}

// status returns the status of the release's only revision in Helm's records.
func (p *testNamespace) status(release string) string {
	p.t.Helper()
	list, err := p.client.CoreV1().Secrets(p.namespace).List(p.t.Context(), meta.ListOptions{LabelSelector: "owner=helm,name=" + release})
	p.must(err)
	if len(list.Items) != 1 {
		p.t.Fatalf("%d revisions of %s", len(list.Items), release)
	}
	return list.Items[0].Labels["status"]
}
