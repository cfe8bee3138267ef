//go:build linux

package node

import (
	"context"
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestOneRunAtATime starts several runs by hand at the same time, which concurrencyPolicy does not prevent. Each release is installed
// only once.
func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	for title, tell := range map[string]func(*testNamespace){
		"a manual run beside a scheduled one ends with 20 and says who holds the lock": besideOne,
		"of runs that start together, one applies":                                     together,
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			tell(newTestNamespace(t))
		})
	}
}

func besideOne(p *testNamespace) {
	p.declares(gated, web)
	a := p.install("gitops", everyMinute)
	holder := a.holder()
	second := a.run("manual")
	if second.String() != "Failed(BackoffLimitExceeded) [20]" || !strings.Contains(second.message, holder) {
		p.t.Errorf("the run beside: %s, and it does not say that %s holds the lock:\n%s", second, holder, second.message)
	}
	p.openGate()
	a.succeeded(a.firing(0))
	a.has("gated 1, web 1")
	before := a.now()
	a.converges("later")
	a.wrote(before)
}

func together(p *testNamespace) {
	p.declares(gated, web, db)
	a := p.install("gitops")
	var jobs []string
	for _, name := range []string{"one", "two", "three"} {
		jobs = append(jobs, a.begin(name))
	}
	a.eventually("all but one end", runTimeout, func(context.Context) bool { return a.activeJobs(jobs) == 1 })
	p.openGate()
	var codes []int
	for _, job := range jobs {
		codes = append(codes, a.ended(job).codes...)
	}
	slices.Sort(codes)
	if want := []int{0, 20, 20}; !slices.Equal(codes, want) {
		p.t.Errorf("the runs end with %v, want %v\n%s", codes, want, a.story())
	}
	a.has("db 1, gated 1, web 1")
}

// openGate creates the ConfigMap for which the gated release waits.
func (p *testNamespace) openGate() {
	p.t.Helper()
	gate := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "gate"}}
	_, err := p.client.CoreV1().ConfigMaps(p.namespace).Create(p.t.Context(), gate, meta.CreateOptions{})
	p.must(err)
}

// activeJobs returns the number of active Jobs.
func (p *testNamespace) activeJobs(jobs []string) (n int) {
	p.t.Helper()
	for _, job := range jobs {
		found, err := p.client.BatchV1().Jobs(p.namespace).Get(p.t.Context(), job, meta.GetOptions{})
		p.must(err)
		if ending(found) == "" {
			n++
		}
	}
	return n
}

// holder waits until a run has taken the instance's lock.
func (a *agent) holder() (who string) {
	a.t.Helper()
	a.eventually("a run takes the lock", runTimeout, func(ctx context.Context) bool {
		lease, err := a.client.CoordinationV1().Leases(a.namespace).Get(ctx, a.fullname(), meta.GetOptions{})
		if err != nil || lease.Spec.HolderIdentity == nil {
			return false
		}
		who = *lease.Spec.HolderIdentity
		return who != ""
	})
	return who
}
