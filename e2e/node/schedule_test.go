//go:build linux

package node

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	batch "k8s.io/api/batch/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// everyMinute is the schedule with the shortest possible interval.
var everyMinute = values{"cronjob": values{"schedule": "* * * * *", "suspend": false}}

// TestSchedule waits for the runs that the CronJob starts by its schedule.
func TestSchedule(t *testing.T) {
	t.Parallel()
	for title, tell := range map[string]func(*testNamespace){
		"the first firing converges, and the next is quiet":                                         firstFirings,
		"a firing deploys a commit, corrects drift and marks an orphan, and the next uninstalls it": nextFirings,
		"a broken commit fails a Job that names the culprit, and a fixed one succeeds":              brokenFirings,
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			tell(newTestNamespace(t))
		})
	}
}

func firstFirings(p *testNamespace) {
	p.declares(web, db)
	a := p.install("gitops", everyMinute)
	a.succeeded(a.firing(0))
	a.has("db 1, web 1")
	between := a.now()
	a.succeeded(a.firing(1))
	a.wrote(between)
	a.has("db 1, web 1")
	if requests := a.requests(between); len(requests) == 0 {
		a.t.Error("the quiet run sent no request: the account is not the agent's")
	}
}

func nextFirings(p *testNamespace) {
	p.declares(web, db, cache)
	a := p.install("gitops")
	a.converges("first")
	p.declares(webRed, db)
	p.changeByHand("db", "green")
	a.upgrade(everyMinute)
	a.succeeded(a.firing(0))
	a.has("cache 1, db 1, web 1, web 2")
	if got := p.color("web") + " " + p.color("db") + " " + p.color("cache"); got != "red blue blue" {
		p.t.Errorf("after the first scheduled run web, db and cache are %s", got)
	}
	a.succeeded(a.firing(1))
	a.has("db 1, web 1, web 2")
	if got := p.color("cache"); got != "" {
		p.t.Errorf("the orphan's object is still there, and %s", got)
	}
}

func brokenFirings(p *testNamespace) {
	p.declares(web, db)
	a := p.install("gitops")
	a.converges("first")
	p.declares(broken, db)
	a.upgrade(everyMinute)
	o := a.firing(0)
	if want := "Failed(BackoffLimitExceeded) [18]"; o.String() != want {
		p.t.Errorf("the scheduled run with the broken commit: %s, want %s", o, want)
	}
	for _, word := range []string{"web", "broken on purpose"} {
		if !strings.Contains(o.message, word) {
			p.t.Errorf("the termination message does not say %q:\n%s", word, o.message)
		}
	}
	p.declares(webRed, db)
	a.succeeded(a.firing(1))
	if got := p.color("web"); got != "red" {
		p.t.Errorf("web is %s after the fixed commit", got)
	}
	a.has("db 1, web 1, web 2")
}

// changeByHand changes an object like a person.
func (p *testNamespace) changeByHand(release, color string) {
	p.t.Helper()
	maps := p.client.CoreV1().ConfigMaps(p.namespace)
	found, err := maps.Get(p.t.Context(), release, meta.GetOptions{})
	p.must(err)
	found.Data["color"] = color
	_, err = maps.Update(p.t.Context(), found, meta.UpdateOptions{})
	p.must(err)
}

// firing waits until the n-th Job of the schedule has ended.
func (a *agent) firing(n int) outcome {
	a.t.Helper()
	var job string
	a.eventually("the schedule fires", 2*time.Minute, func(ctx context.Context) bool {
		jobs, err := a.client.BatchV1().Jobs(a.namespace).List(ctx, meta.ListOptions{})
		a.must(err)
		fired := slices.DeleteFunc(jobs.Items, func(j batch.Job) bool {
			return j.Annotations[batch.CronJobScheduledTimestampAnnotation] == ""
		})
		slices.SortFunc(fired, func(a, b batch.Job) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
		if len(fired) > n {
			job = fired[n].Name
		}
		return job != ""
	})
	return a.ended(job)
}
