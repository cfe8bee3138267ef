package alerts

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// alertTest asks for the alerts of one name with all their labels and texts.
type alertTest struct {
	EvalTime string     `json:"eval_time"`
	Name     string     `json:"alertname"`
	Alerts   []expAlert `json:"exp_alerts"`
}

type expAlert struct {
	Labels      map[string]string `json:"exp_labels"`
	Annotations map[string]string `json:"exp_annotations"`
}

// text is what a person reads of an alert about shop/helmfile-agent that fires in an example at a minute.
type text struct {
	example, minute      string
	job                  string // the label job_name, where the alert is about one Job
	summary, description string
}

var texts = map[string]text{
	"RunFailed": {"a run fails", "47m", "",
		"The last run of helmfile-agent in shop failed.",
		"A run of CronJob helmfile-agent in namespace shop has failed, and none has succeeded since. The Pod's termination message says why."},
	"NoRecentSuccess": {"runs stop succeeding", "93m", "",
		"helmfile-agent in shop has not succeeded for 1h 2m 0s.",
		"No run of CronJob helmfile-agent in namespace shop has succeeded for 1h 2m 0s, several times its schedule. Commits are not deployed and drift is not corrected."},
	"ScheduleMissed": {"the next run does not start", "57m", "",
		"A run of helmfile-agent in shop was due and has not started.",
		"CronJob helmfile-agent in namespace shop should have started a Job 12m 0s ago and has none that is active."},
	"RunStuck": {"a run goes on until its deadline", "53m", "helmfile-agent-30",
		"A run of helmfile-agent in shop does not end.",
		"Job helmfile-agent-30 of CronJob helmfile-agent in namespace shop has been active for 23m 0s. No other run starts until it ends."},
	"Flapping": {"fails and succeeds by turns", "62m", "",
		"Runs of helmfile-agent in shop fail and succeed by turns.",
		"CronJob helmfile-agent in namespace shop went 4 times from failing to succeeding or back within six hours."},
	"Suspended": {"suspended for more than a day", "1462m", "",
		"helmfile-agent in shop has been suspended for more than a day.",
		"CronJob helmfile-agent in namespace shop is suspended. Commits are not deployed and drift is not corrected until somebody resumes it."},
	"Missing": {"deleted", "57m", "",
		"The CronJob of helmfile-agent in shop is gone.",
		"CronJob helmfile-agent in namespace shop was there within the last three days and no longer is. Nothing is deployed, and no other alert about it can fire."},
	"ScheduleInvalid": {"the schedule has no next time", "17m", "",
		"The schedule of helmfile-agent in shop has no next run.",
		"CronJob helmfile-agent in namespace shop is not suspended, but its schedule or time zone yields no next run."},
	"PodNotStarting": {"a Pod is pending", "36m", "",
		"A Pod of helmfile-agent in shop does not start.",
		"A Pod of CronJob helmfile-agent in namespace shop has been pending for more than 5 minutes. Its Events say whether it lacks a node, an image, a Secret or a ConfigMap."},
	"OOMKilled": {"killed for want of memory", "31m", "",
		"A run of helmfile-agent in shop was killed for want of memory.",
		"A Pod of CronJob helmfile-agent in namespace shop reached its memory limit and was killed; no run has succeeded since."},
}

func TestAlertsRead(t *testing.T) {
	var cases []testCase
	for _, name := range slices.Sorted(maps.Keys(severities)) {
		want, written := texts[name]
		if !written {
			t.Errorf("no text of %s", name)
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
		Name: fmt.Sprintf("what %s says", name), Interval: "1m", InputSeries: examples[x.example].seen().inputs(),
		Alerts: []alertTest{{x.minute, "HelmfileAgent" + name, []expAlert{{labels, map[string]string{
			"summary": x.summary, "description": x.description, "runbook_url": address + "HelmfileAgent" + name + ".md",
		}}}}},
	}
}
