package plan

import (
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
