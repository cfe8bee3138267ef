package alerts

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// alertTest is a test of promtool: it expects alerts of one name with all their labels and texts.
type alertTest struct {
	EvalTime string     `json:"eval_time"`
	Name     string     `json:"alertname"`
	Alerts   []expAlert `json:"exp_alerts"`
}

type expAlert struct {
	Labels      map[string]string `json:"exp_labels"`
	Annotations map[string]string `json:"exp_annotations"`
}

// text is the expected text of an alert about shop/helmfile-agent, and the example and the minute in which it fires.
type text struct {
	example, minute      string
	job                  string // the label job_name, if the alert is about one Job
	summary, description string
}

var texts = map[string]text{
	"RunFailed": {"a run fails", "47m", "",
		"The last run of helmfile-agent in shop failed.",
		"A run of CronJob helmfile-agent in namespace shop has failed, and no run has succeeded since then. The Pod's termination message has the reason."},
	"NoRecentSuccess": {"runs stop succeeding", "93m", "",
		"helmfile-agent in shop has not succeeded for 1h 2m 0s.",
		"No run of CronJob helmfile-agent in namespace shop has succeeded for 1h 2m 0s, which is several intervals of its schedule. Commits are not deployed and drift is not corrected."},
	"ScheduleMissed": {"the next run does not start", "57m", "",
		"A run of helmfile-agent in shop was due and has not started.",
		"CronJob helmfile-agent in namespace shop should have started a Job 12m 0s ago, but no Job is active."},
	"RunStuck": {"a run is active until its deadline", "53m", "helmfile-agent-30",
		"A run of helmfile-agent in shop does not end.",
		"Job helmfile-agent-30 of CronJob helmfile-agent in namespace shop has been active for 23m 0s. No other run starts until it ends."},
	"Flapping": {"runs alternate between failure and success", "62m", "",
		"Runs of helmfile-agent in shop alternate between failure and success.",
		"CronJob helmfile-agent in namespace shop changed 4 times between failure and success within six hours."},
	"Suspended": {"suspended for more than a day", "1462m", "",
		"helmfile-agent in shop has been suspended for more than a day.",
		"CronJob helmfile-agent in namespace shop is suspended. Commits are not deployed and drift is not corrected until a person resumes it."},
	"Missing": {"deleted", "57m", "",
		"The CronJob of helmfile-agent in shop is gone.",
		"CronJob helmfile-agent in namespace shop existed within the last three days and no longer exists. Nothing is deployed, and no other alert about it can fire."},
	"ScheduleInvalid": {"the schedule has no next time", "17m", "",
		"The schedule of helmfile-agent in shop has no next run.",
		"CronJob helmfile-agent in namespace shop is not suspended, but its schedule and time zone have no next run."},
	"PodNotStarting": {"a Pod is pending", "36m", "",
		"A Pod of helmfile-agent in shop does not start.",
		"A Pod of CronJob helmfile-agent in namespace shop has been pending for more than 5 minutes. Its Events show whether a node, an image, a Secret or a ConfigMap is missing."},
	"OOMKilled": {"killed at the memory limit", "31m", "",
		"A run of helmfile-agent in shop was killed because it reached its memory limit.",
		"A Pod of CronJob helmfile-agent in namespace shop reached its memory limit and was killed. No run has succeeded since then."},
}

func TestAlertTexts(t *testing.T) {
	var cases []testCase
	for _, name := range slices.Sorted(maps.Keys(severities)) {
		want, found := texts[name]
		if !found {
			t.Errorf("%s has no expected text: add it to texts", name)
			continue
		}
		cases = append(cases, want.testCase(name))
	}
	testRules(t, everyMinute, cases, allAgents)
}

func (x text) testCase(name string) testCase {
	labels := map[string]string{"severity": severities[name], "namespace": "shop", "cronjob": "helmfile-agent"}
	if x.job != "" {
		labels["job_name"] = x.job
	}
	return testCase{
		Name: fmt.Sprintf("the text of %s", name), Interval: "1m", InputSeries: examples[x.example].series().inputs(),
		Alerts: []alertTest{{x.minute, "HelmfileAgent" + name, []expAlert{{labels, map[string]string{
			"summary": x.summary, "description": x.description, "runbook_url": address + "HelmfileAgent" + name + ".md",
		}}}}},
	}
}
