//go:build linux

package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	runTimeout   = 3 * time.Minute
	pollInterval = 100 * time.Millisecond
)

// outcome is the result of a Job, as the tenant sees it.
type outcome struct {
	job       string
	condition string // Complete, or Failed with the reason
	codes     []int  // exit codes of the agent's container, one for each pod in the order in which they started
	message   string // the termination message of the last pod
}

// String returns the outcome in one line, such as "Failed(PodFailurePolicy) [14]".
func (o outcome) String() string {
	return fmt.Sprintf("%s %v", o.condition, o.codes)
}

// begin creates a Job from the CronJob, like `kubectl create job --from=cronjob/NAME`.
func (a *agent) begin(suffix string) (job string) {
	a.t.Helper()
	source, err := a.client.BatchV1().CronJobs(a.namespace).Get(a.t.Context(), a.fullname(), meta.GetOptions{})
	a.must(err)
	made := &batch.Job{
		ObjectMeta: meta.ObjectMeta{
			Name:        a.fullname() + "-" + suffix,
			Labels:      source.Spec.JobTemplate.Labels,
			Annotations: map[string]string{"cronjob.kubernetes.io/instantiate": "manual"},
			OwnerReferences: []meta.OwnerReference{
				{APIVersion: "batch/v1", Kind: "CronJob", Name: source.Name, UID: source.UID},
			},
		},
		Spec: source.Spec.JobTemplate.Spec,
	}
	_, err = a.client.BatchV1().Jobs(a.namespace).Create(a.t.Context(), made, meta.CreateOptions{})
	a.must(err)
	return made.Name
}

// run runs the agent once.
func (a *agent) run(suffix string) outcome {
	a.t.Helper()
	return a.ended(a.begin(suffix))
}

// converges runs the agent once, and fails the test if it does not succeed.
func (a *agent) converges(suffix string) outcome {
	a.t.Helper()
	return a.succeeded(a.run(suffix))
}

func (a *agent) succeeded(o outcome) outcome {
	a.t.Helper()
	if o.String() != "Complete [0]" {
		a.t.Fatalf("%s: %s: %s\n%s", o.job, o, o.message, a.story())
	}
	return o
}

// ended waits until the Job has ended, and returns the outcome.
func (p *testNamespace) ended(job string) outcome {
	p.t.Helper()
	o := outcome{job: job}
	p.eventually("Job "+job+" ends", runTimeout, func(ctx context.Context) bool {
		found, err := p.client.BatchV1().Jobs(p.namespace).Get(ctx, job, meta.GetOptions{})
		p.must(err)
		o.condition = ending(found)
		return o.condition != ""
	})
	for _, pod := range p.pods(job) {
		if state := agentState(pod); state != nil {
			o.codes, o.message = append(o.codes, int(state.ExitCode)), state.Message
		}
	}
	return o
}

func ending(job *batch.Job) string {
	for _, condition := range job.Status.Conditions {
		switch {
		case condition.Status != core.ConditionTrue:
		case condition.Type == batch.JobComplete:
			return "Complete"
		case condition.Type == batch.JobFailed:
			return fmt.Sprintf("Failed(%s)", condition.Reason)
		}
	}
	return ""
}

// pods returns the Job's pods in the order in which they started.
func (p *testNamespace) pods(job string) []core.Pod {
	p.t.Helper()
	list, err := p.client.CoreV1().Pods(p.namespace).List(p.t.Context(), meta.ListOptions{LabelSelector: batch.JobNameLabel + "=" + job})
	p.must(err)
	slices.SortFunc(list.Items, func(a, b core.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return list.Items
}

func agentState(pod core.Pod) *core.ContainerStateTerminated {
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == "agent" {
			return status.State.Terminated
		}
	}
	return nil
}

// eventually waits until the condition is true. It fails the test after a timeout, and prints the description of the condition.
func (p *testNamespace) eventually(what string, within time.Duration, ask func(context.Context) bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), within)
	defer cancel()
	for !ask(ctx) {
		select {
		case <-ctx.Done():
			p.t.Fatalf("%s: not within %s\n%s", what, within, p.story())
		case <-time.After(pollInterval):
		}
	}
}

// story returns the pods, logs and Events of the namespace, for the failure message of a test.
func (p *testNamespace) story() string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var told strings.Builder
	pods, err := p.client.CoreV1().Pods(p.namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return err.Error()
	}
	for _, pod := range pods.Items {
		logs, err := p.client.CoreV1().Pods(p.namespace).GetLogs(pod.Name, &core.PodLogOptions{}).DoRaw(ctx)
		fmt.Fprintf(&told, "--- pod %s: %s %v\n%s\n", pod.Name, pod.Status.Phase, err, logs)
	}
	events, err := p.client.CoreV1().Events(p.namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return told.String()
	}
	for _, event := range events.Items {
		fmt.Fprintf(&told, "event: %s %s: %s %s\n", event.InvolvedObject.Kind, event.InvolvedObject.Name, event.Reason, event.Message)
	}
	return told.String()
}
