package render

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// TestFieldsFromValues checks the fields of the CronJob and the Job that have a value in values.yaml. Zero and false are values. With
// null, the field is left out, and Kubernetes sets its default.
func TestFieldsFromValues(t *testing.T) {
	for name, test := range map[string]struct {
		values  string
		cronJob string // the fields of its specification, without the template
		job     string // those of the Job's
	}{
		"defaults": {
			"{}",
			"{schedule: '*/5 * * * *', concurrencyPolicy: Forbid, startingDeadlineSeconds: 240, suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 3}",
			"{backoffLimit: 0, activeDeadlineSeconds: 900, podReplacementPolicy: Failed}",
		},
		"zeros and false are values": {
			"{cronjob: {startingDeadlineSeconds: 0, suspend: false, successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 0}, job: {backoffLimit: 0, ttlSecondsAfterFinished: 0}}",
			"{schedule: '*/5 * * * *', concurrencyPolicy: Forbid, startingDeadlineSeconds: 0, suspend: false, successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 0}",
			"{backoffLimit: 0, activeDeadlineSeconds: 900, ttlSecondsAfterFinished: 0, podReplacementPolicy: Failed}",
		},
		"null takes defaults away": {
			"{cronjob: {startingDeadlineSeconds: null, successfulJobsHistoryLimit: null, failedJobsHistoryLimit: null}, job: {backoffLimit: null, podReplacementPolicy: null}}",
			"{schedule: '*/5 * * * *', concurrencyPolicy: Forbid, suspend: false}",
			"{activeDeadlineSeconds: 6300}", // Kubernetes tries seven times
		},
		"everything": {
			"{cronjob: {schedule: '7 3 * * 1-5', timeZone: Europe/Berlin, concurrencyPolicy: Replace, startingDeadlineSeconds: 1500000, suspend: true, successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 2}, job: {backoffLimit: 4, activeDeadlineSeconds: 7200000, ttlSecondsAfterFinished: 3600, podReplacementPolicy: TerminatingOrFailed, podFailurePolicy: null, managedBy: example.com/queue}}",
			"{schedule: '7 3 * * 1-5', timeZone: Europe/Berlin, concurrencyPolicy: Replace, startingDeadlineSeconds: 1500000, suspend: true, successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 2}",
			"{backoffLimit: 4, activeDeadlineSeconds: 7200000, ttlSecondsAfterFinished: 3600, podReplacementPolicy: TerminatingOrFailed, managedBy: example.com/queue}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := cronJob(t, test.values).Spec
			job := got.JobTemplate.Spec
			job.Template, job.PodFailurePolicy = core.PodTemplateSpec{}, nil
			got.JobTemplate = batch.JobTemplateSpec{}
			var wantJob batch.JobSpec
			var want batch.CronJobSpec
			unmarshal(t, test.cronJob, &want)
			unmarshal(t, test.job, &wantJob)
			if diff := cmp.Diff(want, got) + cmp.Diff(wantJob, job); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func unmarshal(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

// TestEveryFieldHasAValue fails if Kubernetes adds a field to these types. Then decide whether values.yaml gets a value for it.
func TestEveryFieldHasAValue(t *testing.T) {
	want := map[string]string{
		"CronJobSpec": "schedule timeZone startingDeadlineSeconds concurrencyPolicy suspend jobTemplate successfulJobsHistoryLimit failedJobsHistoryLimit",
		// One pod does one run. So users cannot set the number of pods and the selector.
		"JobSpec": "parallelism- completions- activeDeadlineSeconds podFailurePolicy successPolicy- backoffLimit backoffLimitPerIndex- maxFailedIndexes- selector- manualSelector- template ttlSecondsAfterFinished completionMode- suspend- podReplacementPolicy managedBy",
	}
	got := map[string]string{"CronJobSpec": fields(batch.CronJobSpec{}), "JobSpec": fields(batch.JobSpec{})}
	for name := range want {
		if diff := cmp.Diff(strings.ReplaceAll(want[name], "-", ""), got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestPodFailurePolicyFollowsTheTable checks that the codes that fail a Job at once are those that a retry cannot correct, by the table.
func TestPodFailurePolicyFollowsTheTable(t *testing.T) {
	var hopeless []int32
	for _, row := range exit.Table {
		if strings.HasPrefix(row.Retry, "no:") {
			hopeless = append(hopeless, int32(row.Code))
		}
	}
	if len(hopeless) < 3 || slices.Contains(hopeless, 0) {
		t.Fatalf("codes in the table that a retry cannot correct: %v", hopeless)
	}
	job := cronJob(t)
	name := podOf(job).Containers[0].Name
	want := &batch.PodFailurePolicy{Rules: []batch.PodFailurePolicyRule{
		{Action: batch.PodFailurePolicyActionIgnore, OnPodConditions: []batch.PodFailurePolicyOnPodConditionsPattern{{Type: core.DisruptionTarget, Status: core.ConditionTrue}}},
		{Action: batch.PodFailurePolicyActionFailJob, OnExitCodes: &batch.PodFailurePolicyOnExitCodesRequirement{ContainerName: &name, Operator: batch.PodFailurePolicyOnExitCodesOpIn, Values: hopeless}},
	}}
	if diff := cmp.Diff(want, job.Spec.JobTemplate.Spec.PodFailurePolicy); diff != "" {
		t.Error(diff)
	}
}

// TestDeadline checks that the Job's deadline is the agent's own timeout plus the time to start. The chart must know the default timeout.
func TestDeadline(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.Flags(flags, config.Run)
	fallback, err := config.Load(config.Run, flags, []string{"HELMFILE_AGENT_REPO=https://git.example.com/shop/config"})
	if err != nil {
		t.Fatal(err)
	}
	start := 5 * time.Minute
	for values, want := range map[string]time.Duration{
		"{}":                                fallback.Timeout + start,
		"config: {timeout: 1h30m}":          90*time.Minute + start,
		"config: {timeout: 1.5h}":           90*time.Minute + start,
		"config: {timeout: 1m30.5s}":        91*time.Second + start,
		"config: {timeout: 1500ms}":         2*time.Second + start,
		"config: {timeout: null}":           fallback.Timeout + start,
		"job: {backoffLimit: 2}":            3 * (fallback.Timeout + start),
		"job: {activeDeadlineSeconds: 601}": 601 * time.Second,
		"{config: {timeout: 59s}, job: {activeDeadlineSeconds: 60}}": time.Minute,
	} {
		got := time.Duration(*cronJob(t, values).Spec.JobTemplate.Spec.ActiveDeadlineSeconds) * time.Second
		if got != want {
			t.Errorf("%s: the deadline is %s, want %s", values, got, want)
		}
	}
}

// TestTmpFitsIntoTheMemoryLimit: files in a volume in memory count towards the memory limit of the container.
func TestTmpFitsIntoTheMemoryLimit(t *testing.T) {
	pod := podOf(cronJob(t))
	i := slices.IndexFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == "tmp" })
	tmp, limit := pod.Volumes[i].EmptyDir, pod.Containers[0].Resources.Limits.Memory()
	measured := resource.MustParse("225Mi") // docs/performance.md
	if used := tmp.SizeLimit.Value() + measured.Value(); tmp.Medium != core.StorageMediumMemory || used > limit.Value() {
		t.Errorf("/tmp (%v) and the largest run measured need %d bytes; the limit is %s", tmp, used, limit)
	}
}
