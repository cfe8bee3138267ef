package report

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/source/revision"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func written(t *testing.T, write func(*bytes.Buffer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var commit = revision.Revision{
	Repo: "https://git.example.org/shop.git", Ref: "main", Commit: "3f2a9c1d5e6b7a8990aabbccddeeff0011223344",
	Author: "Ada Lovelace", Date: time.Date(2026, 11, 20, 20, 15, 0, 0, time.UTC), Subject: "Raise the replicas of web",
}

func shop(name string) release.Key { return release.Key{Namespace: "shop", Name: name} }

func want(chart, version string) *release.Desired {
	return &release.Desired{State: release.Installed, File: "helmfile.yaml", Chart: release.Chart{Name: chart, Version: version}}
}

func have(revision int, name, version string) *release.Observed {
	return &release.Observed{Revision: revision, Chart: release.ChartVersion{Name: name, Version: version}}
}

func next(name, version string) *release.Rendered {
	return &release.Rendered{Chart: release.ChartVersion{Name: name, Version: version}}
}

// withDrifts is revision 3 of a release with one missing and two edited objects.
func withDrifts(name string) *release.Observed {
	found := have(3, name, "1.0.0")
	found.Drifts = []release.Drift{
		{ObjectKey: release.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Name: name}, Missing: true},
		{ObjectKey: release.ObjectKey{APIVersion: "apps/v1", Kind: "Deployment", Name: name}, Fields: []release.Field{
			{Path: "/spec/replicas", Want: int64(2), Live: int64(7), Manager: "kubectl-scale", Since: commit.Date}}},
		{ObjectKey: release.ObjectKey{APIVersion: "v1", Kind: "Secret", Name: name}, Fields: []release.Field{
			{Path: "/data/password", Want: "aHVudGVyMg==", Live: "b3RoZXI="}}},
	}
	return found
}

// everyStatus is the report of a run with one release of each status, not ordered.
func everyStatus() Report {
	unselected := want("example/later", "")
	unselected.State = release.Unselected
	outcomes := []apply.Outcome{
		{Step: plan.Step{Key: shop("web"), Verb: plan.Upgrade, Why: "values changed: replicaCount", Want: want("example/web", "1.x"),
			Have: have(6, "web", "1.2.3"), Next: next("web", "1.3.0")}, Result: apply.Done, Revision: 7, Took: 9 * time.Second},
		{Step: plan.Step{Key: shop("db"), Verb: plan.Upgrade, Why: "chart 2.0.0 → 2.1.0", Want: want("example/db", "2.1.0"),
			Have: have(3, "db", "2.0.0"), Next: next("db", "2.1.0")}, Result: apply.Failed, Revision: 4, Took: 301 * time.Second,
			Err: errors.New("upgrade shop/db: the StatefulSet is not ready\n  pod db-0: ImagePullBackOff\n  pod db-1: Pending")},
		{Step: plan.Step{Key: shop("api"), Verb: plan.Install, Why: "not installed", Want: want("example/api", "0.9.0"),
			Needs: []release.Key{shop("cache"), shop("db")}}, Result: apply.Skipped, Err: errors.New("not begun")},
		{Step: plan.Step{Key: shop("cache"), Verb: plan.Install, Why: "not installed", Want: want("./charts/cache", ""),
			Next: next("cache", "0.1.0")}, Result: apply.Done, Revision: 1, Took: 2 * time.Second},
		{Step: plan.Step{Key: shop("old"), Verb: plan.Uninstall, Why: "declared with installed: false", Want: want("example/old", ""),
			Have: have(2, "old", "4.0.0")}, Result: apply.Done, Took: time.Second},
		{Step: plan.Step{Key: shop("lost"), Verb: plan.Orphan, Why: "no longer declared; a label or an annotation says to keep it", Have: have(5, "lost", "1.0.0")}, Result: apply.Done, Revision: 5},
		{Step: plan.Step{Key: shop("unseen"), Verb: plan.Mark, Why: "no longer declared since commit 3f2a9c1; will be uninstalled by the next run",
			Have: have(2, "unseen", "1.0.0")}, Result: apply.Done, Revision: 2},
		{Step: plan.Step{Key: shop("stale"), Verb: plan.Prune, Why: "no longer declared since commit 0123456, marked 2026-11-20T20:10:00Z",
			Have: have(3, "stale", "1.0.0")}, Result: apply.Done, Took: time.Second},
		{Step: plan.Step{Key: shop("doubtful"), Verb: plan.Hold, Why: "no longer declared; it was installed from another repository, path or environment",
			Have: have(4, "doubtful", "1.0.0")}, Result: apply.Done, Revision: 4},
		{Step: plan.Step{Key: shop("found"), Verb: plan.Adopt, Why: "as declared, but no instance owns it yet", Want: want("example/found", "1.0.0"),
			Have: have(9, "found", "1.0.0")}, Result: apply.Done, Revision: 9, Took: time.Millisecond},
		{Step: plan.Step{Key: shop("mail"), Verb: plan.Unchanged, Why: "as declared", Want: want("example/mail", "1.1.0"),
			Have: have(1, "mail", "1.1.0")}, Result: apply.Done, Revision: 1},
		{Step: plan.Step{Key: shop("moved"), Verb: plan.Relabel, Why: "as declared; a new fingerprint of its inputs is recorded",
			Want: want("example/moved", "1.0.0"), Have: have(4, "moved", "1.0.0")}, Result: apply.Done, Revision: 4, Took: time.Millisecond},
		{Step: plan.Step{Key: shop("edited"), Verb: plan.Correct, Why: "drift: ConfigMap/edited is missing, Deployment/edited: /spec/replicas by kubectl-scale",
			Want: want("example/edited", "1.0.0"), Have: withDrifts("edited"), ToCorrect: withDrifts("edited").Drifts[:2]},
			Result: apply.Done, Revision: 3, Took: 40 * time.Millisecond},
		{Step: plan.Step{Key: shop("free"), Verb: plan.Drifted, Why: "drift: ConfigMap/free is missing",
			Want: want("example/free", "1.0.0"), Have: withDrifts("free")}, Result: apply.Done, Revision: 3},
		{Step: plan.Step{Key: shop("later"), Verb: plan.Leave, Why: "left out by the selector", Want: unselected}, Result: apply.Done},
		{Step: plan.Step{Key: shop("beta"), Verb: plan.Leave, Why: "its condition beta.enabled is off", Want: want("example/beta", "")}, Result: apply.Done},
		{Step: plan.Step{Key: shop("odd"), Verb: plan.Refuse, Why: "cannot be rendered", Want: want("example/odd", "1.0.0")}, Result: apply.Failed,
			Err: errors.New("render shop/odd: odd/templates/a.yaml:3: nil pointer evaluating interface {}.host")},
	}
	return Report{
		Command: "run", Instance: "shop", Namespace: "shop", Environment: "production", Source: commit,
		Started: commit.Date.Add(5 * time.Minute), Took: 312 * time.Second, Outcomes: outcomes,
		Warnings: []string{"helmfile.yaml: unknown key releases[3].foo"},
	}
}

func converged() Report {
	return Report{Command: "run", Source: commit, Took: 1234 * time.Millisecond, Outcomes: []apply.Outcome{
		{Step: plan.Step{Key: shop("mail"), Verb: plan.Unchanged, Why: "as declared", Have: have(1, "mail", "1.1.0")}, Result: apply.Done, Revision: 1},
	}}
}

func endedEarly() Report {
	err := errors.New("clone https://git.example.org/shop.git: authentication required\nthe server said: no")
	return Report{Command: "run", Source: revision.Revision{Repo: commit.Repo, Ref: commit.Ref}, Took: 310 * time.Millisecond,
		Err: exit.With(exit.SourceRefused, err)}
}

func TestCode(t *testing.T) {
	one := func(verb plan.Verb, result apply.Result) Report {
		return Report{Outcomes: []apply.Outcome{{Step: plan.Step{Verb: verb}, Result: result}}}
	}
	with := func(r Report, verb plan.Verb, result apply.Result) Report {
		r.Outcomes = append(r.Outcomes, one(verb, result).Outcomes...)
		return r
	}
	late := one(plan.Upgrade, apply.Failed)
	late.Err = exit.With(exit.Deadline, errors.New("too late"))
	for name, c := range map[string]struct {
		report Report
		want   exit.Code
	}{
		"nothing to do":                {Report{}, exit.Converged},
		"everything done":              {one(plan.Upgrade, apply.Done), exit.Converged},
		"one failed":                   {one(plan.Upgrade, apply.Failed), exit.ReleasesFailed},
		"one skipped":                  {one(plan.Upgrade, apply.Skipped), exit.ReleasesFailed},
		"one refused with result done": {one(plan.Refuse, apply.Done), exit.ReleasesFailed},
		"one refused in a diff":        {one(plan.Refuse, ""), exit.ReleasesFailed},
		"marked and pruned":            {with(one(plan.Mark, apply.Done), plan.Prune, apply.Done), exit.Converged},
		"an orphan that is not pruned": {one(plan.Orphan, apply.Done), exit.Converged},
		"an adoption that failed":      {one(plan.Adopt, apply.Failed), exit.ReleasesFailed},
		"corrected and recorded":       {with(one(plan.Correct, apply.Done), plan.Relabel, apply.Done), exit.Converged},
		"a correction that failed":     {one(plan.Correct, apply.Failed), exit.ReleasesFailed},
		"drifted and not corrected":    {one(plan.Drifted, apply.Done), exit.Converged},
		"one held":                     {one(plan.Hold, apply.Done), exit.PruneRefused},
		"one held in a diff":           {one(plan.Hold, ""), exit.PruneRefused},
		"one held, all others done":    {with(one(plan.Hold, apply.Done), plan.Upgrade, apply.Done), exit.PruneRefused},
		"one held, another failed":     {with(one(plan.Hold, apply.Done), plan.Upgrade, apply.Failed), exit.ReleasesFailed},
		"one held, one refused":        {with(one(plan.Hold, apply.Done), plan.Refuse, apply.Failed), exit.ReleasesFailed},
		"one held, a prune skipped":    {with(one(plan.Hold, apply.Done), plan.Prune, apply.Skipped), exit.ReleasesFailed},
		"an error of the whole run":    {late, exit.Deadline},
		"an error without a code":      {Report{Err: errors.New("oh")}, exit.Unexpected},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.report.Code(); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	planned := Report{Command: Diff, Outcomes: []apply.Outcome{
		{Step: plan.Step{Verb: plan.Upgrade}}, {Step: plan.Step{Verb: plan.Install}}, {Step: plan.Step{Verb: plan.Upgrade}}, {Step: plan.Step{Verb: plan.Unchanged}},
	}}
	late := everyStatus()
	late.Err = exit.With(exit.Deadline, errors.New("no time left"))
	previewed := func(r Report, verb plan.Verb) Report { // like the result of [apply.Preview]
		outcome := apply.Outcome{Step: plan.Step{Verb: verb}, Result: apply.Done}
		if verb.Writes() {
			outcome.Result = ""
		}
		if verb == plan.Mark {
			outcome.NewMark = &release.Mark{}
		}
		r.Outcomes = append(r.Outcomes, outcome)
		return r
	}
	forbidden := Report{Command: "run", Err: exit.With(exit.Forbidden, errors.New("nothing was changed, because the agent may not:\n"+
		"  create deployments.apps in namespace shop (for shop/web)\n  create services in namespace shop (for shop/web)\n"+
		"  patch configmaps in namespace shop (for shop/db)\ngrant it in a Role, or take it out of the helmfile"))}
	for name, c := range map[string]struct {
		report Report
		want   string
	}{
		"converged": {converged(), "converged: 1 unchanged in 1.2s"},
		"nothing":   {Report{}, "converged: no releases in 0s"},
		"failures are listed first": {everyStatus(), "releases-failed (exit 18): 1 failed, 1 refused, 1 skipped, 1 installed, 1 upgraded, 1 uninstalled, " +
			"1 pruned, 1 corrected, 1 drifted, 1 adopted, 1 relabelled, 1 held, 1 marked, 1 orphaned, 1 unchanged, 1 disabled, 1 unselected in 5m12s"},
		"a held orphan": {Report{Outcomes: []apply.Outcome{{Step: plan.Step{Verb: plan.Hold}, Result: apply.Done}}}, "prune-refused (exit 19): 1 held in 0s"},
		"a diff of pruning": {Report{Command: Diff, Outcomes: []apply.Outcome{
			{Step: plan.Step{Verb: plan.Prune}}, {Step: plan.Step{Verb: plan.Mark}}, {Step: plan.Step{Verb: plan.Adopt}},
		}}, "1 to prune, 1 to adopt, 1 to mark"},
		"the run ended before the first step": {previewed(previewed(previewed(forbidden, plan.Install), plan.Unchanged), plan.Mark),
			"forbidden (exit 17): nothing was changed, because the agent may not: create deployments.apps in namespace shop (for shop/web)" +
				" and 2 more; 1 to install, 1 to mark, 1 unchanged in 0s"},
		"a dry run of destroy":       {previewed(previewed(Report{Command: "destroy"}, plan.Prune), plan.Prune), "2 to prune in 0s"},
		"a diff":                     {planned, "1 to install, 2 to upgrade, 1 unchanged"},
		"a diff of nothing":          {Report{Command: Diff}, "no releases"},
		"ended before any step":      {endedEarly(), "source-refused (exit 12): clone https://git.example.org/shop.git: authentication required; no releases processed in 310ms"},
		"ended with some steps done": {late, "deadline (exit 21): no time left; " + late.totals()},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.report.Summary(); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestDiffersMeansThatObjectsAreWritten(t *testing.T) {
	for verb, want := range map[plan.Verb]bool{
		plan.Install: true, plan.Upgrade: true, plan.Uninstall: true, plan.Prune: true, plan.Correct: true,
		plan.Adopt: false, plan.Relabel: false, // these write only labels
		plan.Drifted:   false, // the agent does not correct these
		plan.Unchanged: false, plan.Leave: false, plan.Mark: false, plan.Orphan: false, plan.Hold: false, plan.Refuse: false,
	} {
		if got := (Report{Outcomes: []apply.Outcome{{Step: plan.Step{Verb: verb}}}}).Differs(); got != want {
			t.Errorf("%s: got %v, want %v", verb, got, want)
		}
	}
}

func TestWriteText(t *testing.T) {
	for name, report := range map[string]Report{"run": everyStatus(), "converged": converged(), "ended-early": endedEarly()} {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".txt", written(t, func(out *bytes.Buffer) error { return report.WriteText(out, Style{}) }))
		})
	}
	t.Run("coloured", func(t *testing.T) {
		golden(t, "run-color.txt", written(t, func(out *bytes.Buffer) error { return everyStatus().WriteText(out, Style{Color: true}) }))
	})
}

func TestDisabledReleasesAreShownOnlyIfThereAreNoOthers(t *testing.T) {
	leave := apply.Outcome{Step: plan.Step{Key: shop("beta"), Verb: plan.Leave, Why: "its condition is off"}, Result: apply.Done}
	alone := Report{Outcomes: []apply.Outcome{leave}}
	if rows := alone.rows(); len(rows) != 1 {
		t.Errorf("alone: got %d rows, want 1", len(rows))
	}
	if rows := (Report{Outcomes: append(converged().Outcomes, leave)}).rows(); len(rows) != 1 || rows[0].Verb != plan.Unchanged {
		t.Errorf("with another: got %v, want only the unchanged one", rows)
	}
}

func TestTextFromOthersCannotControlTheTerminal(t *testing.T) {
	report := everyStatus()
	report.Source.Subject = "nice\x1b[2J\rcommit\n\u202e"
	report.Outcomes[1].Err = errors.New("bad\x1b]0;title\x07 thing\tindeed\xff")
	report.Warnings = []string{"a\x00b"}
	out := written(t, func(out *bytes.Buffer) error { return report.WriteText(out, Style{}) })
	if bytes.ContainsAny(out, "\x1b\x07\x00\r\u202e") || !bytes.Contains(out, []byte("thing indeed\uFFFD")) {
		t.Errorf("got %q", out)
	}
}

func TestCommitSaysThatACheckoutIsDirty(t *testing.T) {
	report := Report{Source: revision.Revision{Commit: commit.Commit, Dirty: true, Repo: "."}}
	if got, want := report.commitLine(), "commit 3f2a9c1 (dirty) from ."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStyleFor(t *testing.T) {
	if style := StyleFor(&bytes.Buffer{}, nil); style.Color {
		t.Error("a buffer is no terminal")
	}
	for name, c := range map[string]struct {
		environ []string
		want    bool
	}{
		"no variables":   {nil, true},
		"NO_COLOR empty": {[]string{"NO_COLOR=", "TERM=xterm"}, true},
		"NO_COLOR set":   {[]string{"NO_COLOR=1"}, false},
		"dumb terminal":  {[]string{"TERM=dumb"}, false},
	} {
		if got := wantsColor(c.environ); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
