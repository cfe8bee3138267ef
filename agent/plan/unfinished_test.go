package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestReleasesInUseAreNotUninstalled: the rule of upgrades also holds for installed: false, pruning and destroy.
func TestReleasesInUseAreNotUninstalled(t *testing.T) {
	const running = ": another Helm operation may be running; it counts as interrupted after 10m0s"
	for name, test := range map[string]struct {
		found              release.Observed
		timeout            time.Duration // of the helmfile, to uninstall
		absent, lost, gone string        // installed: false; no longer declared, and marked; destroy
	}{
		"a young upgrade": {found: begunAt("pending-upgrade", 9*time.Minute, 0),
			absent: "refuse: revision 7 has been pending-upgrade since 2026-03-01T11:51:00Z" + running,
			lost:   "hold: no longer declared since commit 0123456, marked 2026-03-01T11:52:00Z; revision 7 has been pending-upgrade since 2026-03-01T11:51:00Z" + running,
			gone:   "refuse: revision 7 has been pending-upgrade since 2026-03-01T11:51:00Z" + running},
		"an old upgrade": {found: begunAt("pending-upgrade", 10*time.Minute, 0),
			absent: "uninstall: installed: false",
			lost:   "prune: no longer declared since commit 0123456, marked 2026-03-01T11:52:00Z",
			gone:   "prune: destroy uninstalls everything that the instance owns"},
		"an old revision that a client has begun to uninstall": {found: begunAt("uninstalling", 24*time.Hour, time.Minute),
			absent: "refuse: revision 7 has been uninstalling since 2026-03-01T11:59:00Z" + running,
			lost:   "hold: no longer declared since commit 0123456, marked 2026-03-01T11:52:00Z; revision 7 has been uninstalling since 2026-03-01T11:59:00Z" + running,
			gone:   "refuse: revision 7 has been uninstalling since 2026-03-01T11:59:00Z" + running},
		"an uninstallation that was interrupted": {found: begunAt("uninstalling", 24*time.Hour, time.Hour),
			absent: "uninstall: installed: false",
			lost:   "prune: no longer declared since commit 0123456, marked 2026-03-01T11:52:00Z",
			gone:   "prune: destroy uninstalls everything that the instance owns"},
		"an uninstallation that may take longer": {found: begunAt("uninstalling", 24*time.Hour, time.Hour), timeout: 2 * time.Hour,
			absent: "refuse: revision 7 has been uninstalling since 2026-03-01T11:00:00Z: another Helm operation may be running; it counts as interrupted after 2h1m0s",
			lost:   "prune: no longer declared since commit 0123456, marked 2026-03-01T11:52:00Z",
			gone:   "prune: destroy uninstalls everything that the instance owns"},
		"a revision that has failed": {found: begunAt("failed", time.Minute, 0),
			absent: "uninstall: installed: false",
			lost:   "prune: no longer declared since commit 0123456, marked 2026-03-01T11:52:00Z",
			gone:   "prune: destroy uninstalls everything that the instance owns"},
	} {
		t.Run(name, func(t *testing.T) {
			have := []release.Observed{test.found}
			absent, other := want("web", release.Absent), want("zzz", release.Absent)
			absent.Options.DeleteTimeout = test.timeout
			mark := marked("web", 8*time.Minute)
			mark.Deployed = test.found.Updated
			got := []string{
				reasons(Build([]release.Desired{absent}, have, nil, release.InstanceState{}, policy, noon))[0],
				reasons(Build([]release.Desired{other}, have, nil, stateWithMarks(mark), policy, noon))[0],
				reasons(Destroy(have, release.InstanceState{}, policy, noon))[0],
			}
			if diff := cmp.Diff([]string{"web: " + test.absent, "web: " + test.lost, "web: " + test.gone}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDestroyLeavesWhatARefusedReleaseNeeds: another Helm client is upgrading web.
func TestDestroyLeavesWhatARefusedReleaseNeeds(t *testing.T) {
	found := []release.Observed{have("cache", "deployed"), have("db", "deployed"), begunAt("pending-upgrade", time.Minute, 0)}
	p := Destroy(found, stateWithNeeds(map[string][]string{"web": {"db"}}), policy, noon)
	want := []string{"1 prune shop/cache", "1 prune shop/db after shop/web needs shop/web", "1 refuse shop/web"}
	if diff := cmp.Diff(want, order(p)); diff != "" {
		t.Error(diff)
	}
}

// begunAt is the release web with a revision of that age, which a client has begun to uninstall so long ago, if at all.
func begunAt(status string, age, uninstalling time.Duration) release.Observed {
	o := have("web", status)
	o.Updated = noon.Add(-age)
	if uninstalling > 0 {
		o.Uninstalling = noon.Add(-uninstalling)
	}
	return o
}

// TestTheRevisionOfARunThatHasEnded is not waited for: what was interrupted is done as what it was.
func TestTheRevisionOfARunThatHasEnded(t *testing.T) {
	dead := release.Run{Lease: "lease", Transitions: 3, Holder: "dead"}
	held := func(holder string) release.Lease { return release.Lease{ID: "lease", Holder: holder, Held: true} }
	const inUse = "refuse: revision 7 has been pending-upgrade since 2026-03-01T11:59:00Z: another Helm operation may be running; it counts as interrupted after 10m0s"
	const since = "last revision has been %s since 2026-03-01T11:59:00Z: it was interrupted"
	for name, test := range map[string]struct {
		status    string
		operation release.Operation // of a failed revision
		run       release.Run
		lease     release.Lease
		diff      bool
		want      string
	}{
		"an upgrade, and the Lease was released":     {status: "pending-upgrade", run: dead, lease: release.Lease{ID: "lease"}, want: "upgrade: " + since},
		"an upgrade, and the Lease has expired":      {status: "pending-upgrade", run: dead, lease: release.Lease{ID: "lease", Holder: "dead"}, want: "upgrade: " + since},
		"an upgrade, and another run has the Lease":  {status: "pending-upgrade", run: dead, lease: held("other"), want: "upgrade: " + since},
		"an upgrade, and the run still has it":       {status: "pending-upgrade", run: dead, lease: held("dead"), want: inUse},
		"an upgrade, and there is no Lease":          {status: "pending-upgrade", run: dead, want: inUse},
		"an upgrade, and it is another Lease":        {status: "pending-upgrade", run: dead, lease: release.Lease{ID: "new"}, want: inUse},
		"an upgrade of another Helm client":          {status: "pending-upgrade", lease: release.Lease{ID: "lease"}, want: inUse},
		"an upgrade, in a diff":                      {status: "pending-upgrade", run: dead, diff: true, want: "upgrade: " + since},
		"an upgrade of another Helm client, in one":  {status: "pending-upgrade", diff: true, want: inUse},
		"an installation is done again":              {status: "pending-install", run: dead, lease: release.Lease{ID: "lease"}, want: "install: " + since},
		"a rollback is followed by an upgrade":       {status: "pending-rollback", run: dead, lease: release.Lease{ID: "lease"}, want: "upgrade: " + since},
		"an uninstall goes on before the next":       {status: "uninstalling", run: dead, lease: release.Lease{ID: "lease"}, want: "upgrade: " + since},
		"an installation that recorded its end":      {status: "failed", operation: release.Installing, run: dead, lease: held("dead"), want: "install: last revision failed, because its install was interrupted"},
		"an upgrade that recorded its end":           {status: "failed", operation: release.Upgrading, run: dead, lease: held("dead"), want: "upgrade: last revision failed, because its upgrade was interrupted"},
		"a failure":                                  {status: "failed", run: dead, lease: release.Lease{ID: "lease"}, want: "upgrade: last revision failed"},
		"an installation of another Helm client ...": {status: "pending-install", lease: release.Lease{ID: "lease"}, want: strings.ReplaceAll(inUse, "-upgrade", "-install")},
	} {
		t.Run(name, func(t *testing.T) {
			found, p := begunAt(test.status, time.Minute, 0), policy
			found.Run, p.Lease, p.DiffOnly = test.run, test.lease, test.diff
			if test.operation != "" {
				found.Operation = test.operation
			}
			got := Build([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{next("web")}, release.InstanceState{}, p, noon)
			if diff := cmp.Diff([]string{"web: " + strings.Replace(test.want, "%s", test.status, 1)}, reasons(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAnInterruptedInstallationReusesNoValues: it has no earlier revision whose values it could reuse.
func TestAnInterruptedInstallationReusesNoValues(t *testing.T) {
	found, declared, p := begunAt("pending-install", time.Hour, 0), want("web", release.Installed), policy
	found.Trusted, declared.Options.ReuseValues = false, true
	got := Build([]release.Desired{declared}, []release.Observed{found}, []release.Rendered{next("web")}, release.InstanceState{}, p, noon)
	if got.Steps[0].Verb != Install {
		t.Error(reasons(got))
	}
}

// TestADamagedReleaseIsLeftAlone: nothing of it is deleted, whatever is declared.
func TestADamagedReleaseIsLeftAlone(t *testing.T) {
	found := have("web", "damaged")
	found.Damaged = "it is broken: do this"
	mark := marked("web", time.Hour)
	mark.Deployed = found.Updated
	got := []string{
		reasons(Build([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{next("web")}, release.InstanceState{}, policy, noon))[0],
		reasons(Build([]release.Desired{want("web", release.Absent)}, []release.Observed{found}, nil, release.InstanceState{}, policy, noon))[0],
		reasons(Build([]release.Desired{want("zzz", release.Absent)}, []release.Observed{found}, nil, stateWithMarks(mark), policy, noon))[0],
		reasons(Destroy([]release.Observed{found}, release.InstanceState{}, policy, noon))[0],
	}
	if diff := cmp.Diff([]string{"web: refuse: it is broken: do this", "web: refuse: it is broken: do this",
		"web: hold: no longer declared; it is broken: do this", "web: hold: it is broken: do this"}, got); diff != "" {
		t.Error(diff)
	}
}
