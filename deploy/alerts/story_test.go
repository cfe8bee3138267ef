package alerts

import (
	"fmt"
	"time"
)

// story describes what happens in a cluster, minute by minute. The series of kube-state-metrics are computed from it.
type story struct {
	minutes  int
	agents   []agent
	replicas int // of kube-state-metrics; 0 is 1
	blind    int // kube-state-metrics exports no series from this minute on; 0 means never
}

// agent is a CronJob with its runs and changes. The zero value is shop/helmfile-agent, every 15 minutes, without runs.
type agent struct {
	cluster, namespace, name string
	created                  int
	every                    int   // minutes of its schedule
	ticks                    []int // the minutes of its schedule, if it is not an interval
	noNext, never            bool  // its schedule has no next time, or a day that does not exist
	runs                     []run
	suspended                [2]int // from, until
	deleted                  int    // minute in which it is deleted with its Jobs; 0 means never
}

// run is a Job with one Pod.
type run struct {
	at, takes int // 0 is one minute
	fails     bool
	manual    bool     // made from the CronJob by a person
	deadline  int      // activeDeadlineSeconds, in minutes
	removed   int      // minute in which the Job is deleted; 0 means never
	pending   int      // minutes for which its Pod is pending
	waits     []string // reasons why its container waits, one after the other
	oom       bool
}

// succeed and fail return scheduled runs at these minutes.
func succeed(at ...int) []run { return each(run{}, at) }
func fail(at ...int) []run    { return each(run{fails: true}, at) }

func each(like run, at []int) []run {
	var all []run
	for _, minute := range at {
		like.at = minute
		all = append(all, like)
	}
	return all
}

// from returns every 15th minute, including begin and end.
func from(begin, end int) []int {
	var all []int
	for m := begin; m <= end; m += 15 {
		all = append(all, m)
	}
	return all
}

// series returns every series that Prometheus has.
func (s story) series() *samples {
	all := &samples{minutes: s.minutes}
	until := s.minutes
	if s.blind > 0 {
		until = s.blind
	}
	for replica := range max(s.replicas, 1) {
		scrape := func(labels string) string { return fmt.Sprintf("%s,instance=%q", labels, fmt.Sprint("ksm-", replica)) }
		all.put("kube_namespace_created{"+scrape(`namespace="shop"`)+"}", 0, until, 0)
		for _, a := range append(s.agents, otherCronJob) {
			a.addSeries(all, until, scrape)
		}
		otherOwner(all, until, scrape)
	}
	return all
}

// otherCronJob is a CronJob that is not an agent. It meets the conditions of every alert, but no alert may fire for it.
var otherCronJob = agent{name: "backup", every: 5, noNext: true, runs: []run{
	{at: 2, fails: true, oom: true}, {at: 5, fails: true}, {at: 6, takes: 10000, pending: 10000, waits: []string{"ImagePullBackOff"}},
}}

// otherOwner adds a failed Job whose owner has the agent's name but is not a CronJob.
func otherOwner(all *samples, until int, scrape func(string) string) {
	job := scrape(`namespace="shop",job_name="other"`)
	all.put("kube_job_owner{"+job+`,owner_kind="Workflow",owner_name="helmfile-agent"}`, 0, until, 1)
	all.put("kube_job_status_start_time{"+job+"}", 0, until, 9999*60)
	all.put("kube_job_failed{"+job+`,condition="true"}`, 0, until, 1)
}

// addSeries adds the series of the CronJob and its Jobs.
func (a agent) addSeries(all *samples, until int, scrape func(string) string) {
	a = a.withDefaults()
	if a.deleted > 0 {
		until = min(until, a.deleted)
	}
	in := fmt.Sprintf("namespace=%q", a.namespace)
	if a.cluster != "" {
		in += fmt.Sprintf(",cluster=%q", a.cluster)
	}
	own := "{" + scrape(in+fmt.Sprintf(",cronjob=%q", a.name))
	all.put("kube_cronjob_info"+own+`,schedule="*/15 * * * *"}`, a.created, until, 1)
	all.put("kube_cronjob_created"+own+"}", a.created, until, a.created*60)
	for m := a.created; m < min(until, all.minutes); m++ {
		now := func(name string, value int) { all.put(name+own+"}", m, m+1, value) }
		a.at(m, now)
	}
	for _, r := range a.runs {
		r.addSeries(all, a.name, until, func(labels string) string { return "{" + scrape(in+","+labels) + "}" })
	}
}

func (a agent) withDefaults() agent {
	if a.namespace == "" {
		a.namespace = "shop"
	}
	if a.name == "" {
		a.name = "helmfile-agent"
	}
	if a.every == 0 {
		a.every = 15
	}
	return a
}

// at adds the values of the CronJob's spec and status in minute m.
func (a agent) at(m int, now func(name string, value int)) {
	scheduled, succeeded, active := -1, -1, 0
	for _, r := range a.runs {
		if r.at > m {
			continue
		}
		if !r.fails && r.end() <= m {
			succeeded = max(succeeded, r.end())
		}
		if !r.manual {
			scheduled = max(scheduled, r.at)
			if r.end() > m {
				active++
			}
		}
	}
	now("kube_cronjob_status_active", active)
	if scheduled >= 0 {
		now("kube_cronjob_status_last_schedule_time", scheduled*60)
	}
	if succeeded >= 0 {
		now("kube_cronjob_status_last_successful_time", succeeded*60)
	}
	suspended := m >= a.suspended[0] && m < a.suspended[1]
	if !suspended && !a.noNext {
		now("kube_cronjob_next_schedule_time", a.next(max(scheduled, a.created))*60)
	}
	now("kube_cronjob_spec_suspend", map[bool]int{true: 1}[suspended])
}

// next returns the first minute of the schedule after the given one.
func (a agent) next(minute int) int {
	if a.never {
		return int(time.Time{}.Unix() / 60)
	}
	for _, tick := range a.ticks {
		if tick > minute {
			return tick
		}
	}
	return (minute/a.every + 1) * a.every
}

func (r run) end() int { return r.at + max(r.takes, 1) }

// addSeries adds the series of the Job and its Pod.
func (r run) addSeries(all *samples, owner string, until int, labels func(string) string) {
	if r.removed > 0 {
		until = min(until, r.removed)
	}
	name := fmt.Sprintf("%s-%d", owner, r.at)
	if r.manual {
		name = fmt.Sprintf("%s-by-hand-%d", owner, r.at)
	}
	job := func(series, more string, begin, end, value int) {
		all.put(series+labels(fmt.Sprintf("job_name=%q", name)+more), begin, min(end, until), value)
	}
	job("kube_job_owner", fmt.Sprintf(`,owner_kind="CronJob",owner_name=%q`, owner), r.at, until, 1)
	job("kube_job_status_start_time", "", r.at, until, r.at*60)
	job("kube_job_status_active", "", r.at, until, 0)
	job("kube_job_status_active", "", r.at, r.end(), 1)
	if r.deadline > 0 {
		job("kube_job_spec_active_deadline_seconds", "", r.at, until, r.deadline*60)
	}
	condition := "kube_job_complete"
	if r.fails {
		condition = "kube_job_failed"
	} else {
		job("kube_job_status_completion_time", "", r.end(), until, r.end()*60)
	}
	job(condition, `,condition="true"`, r.end(), until, 1)
	job(condition, `,condition="false"`, r.end(), until, 0)
	r.addPodSeries(func(series, more string, begin, end, value int) {
		all.put(series+labels(fmt.Sprintf("pod=%q", name+"-x7f2p")+more), begin, min(end, until), value)
	}, name, until)
}

func (r run) addPodSeries(pod func(series, more string, begin, end, value int), job string, until int) {
	pod("kube_pod_owner", fmt.Sprintf(`,owner_kind="Job",owner_name=%q`, job), r.at, until, 1)
	pod("kube_pod_status_phase", `,phase="Pending"`, r.at, until, 0)
	pod("kube_pod_status_phase", `,phase="Pending"`, r.at, r.at+r.pending, 1)
	for i := range r.end() - r.at {
		if len(r.waits) > 0 {
			reason := r.waits[i%len(r.waits)]
			pod("kube_pod_container_status_waiting_reason", fmt.Sprintf(`,container="agent",reason=%q`, reason), r.at+i, r.at+i+1, 1)
		}
	}
	pod("kube_pod_container_status_terminated_reason", fmt.Sprintf(`,container="agent",reason=%q`, r.terminatedReason()), r.end(), until, 1)
}

// terminatedReason returns the reason why the container ended.
func (r run) terminatedReason() string {
	switch {
	case r.oom:
		return "OOMKilled"
	case r.fails:
		return "Error"
	default:
		return "Completed"
	}
}
