package e2e

import (
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// TestPrune checks what happens to releases whose entries are removed from the helmfile.
func TestPrune(t *testing.T) { runStories(t, pruneStories) }

var pruneStories = map[string]func(*story){
	"by the author: installed is false, then the entry is removed; later runs do nothing": func(s *story) {
		s.installs(db, web)
		s.declares(db, webOff)
		s.run().shows(converged, "db unchanged, web uninstalled")
		s.has("db 1")
		s.run().shows(converged, "db unchanged, web unchanged").writes("")
		s.declares(db)
		s.run().shows(converged, "db unchanged").writes("")
	},

	"by the author: pre-delete hooks run": func(s *story) {
		s.installs("- {name: web, chart: ./chart, values: [{farewell: goodbye}]}\n")
		s.declares(webOff)
		s.run().shows(converged, "web uninstalled")
		if !s.hasObject("goodbye") || s.hasObject("web") {
			s.t.Error("the hook did not run, or the object still exists")
		}
	},

	"by the author: deleteWait waits for slow deletions, and deleteTimeout limits the wait": func(s *story) {
		lingering := "values: [{finalizer: example.com/stay}]"
		s.installs(db, "- {name: web, chart: ./chart, "+lingering+"}\n")
		s.declares(db, "- {name: web, chart: ./chart, installed: false, deleteWait: true, deleteTimeout: 2}\n")
		s.run().shows(releasesFailed, "db unchanged, web failed")
		s.patchObject("web", `{"metadata":{"finalizers":null}}`)
		s.run().shows(converged, "db unchanged, web unchanged")
	},

	"by the author: without deleteWait the run does not wait": func(s *story) {
		s.installs(db, "- {name: web, chart: ./chart, values: [{finalizer: example.com/stay}]}\n")
		s.declares(db, webOff)
		s.run().shows(converged, "db unchanged, web uninstalled")
		s.patchObject("web", `{"metadata":{"finalizers":null}}`)
	},

	"by the agent: the first run marks, the second prunes, the third has nothing to do": func(s *story) {
		s.installs(db, "- {name: web, chart: ./chart, values: [{farewell: goodbye}]}\n")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked").
			says("web: no longer declared since commit " + s.commit()[:7] + "; will be uninstalled by the next run").
			writes("create events, update configmaps")
		s.hasMarks("web 1")
		s.has("db 1, web 1")
		s.run().shows(converged, "db unchanged, web pruned").
			says("web: no longer declared since commit " + s.commit()[:7] + ", marked 20")
		s.has("db 1")
		if !s.hasObject("goodbye") || s.hasObject("web") {
			s.t.Error("the pre-delete hook did not run, or the object stayed")
		}
		s.run().shows(converged, "db unchanged").writes("")
		s.hasEvents("db Installed", "web Installed", "web PruneMarked", "web Pruned")
	},

	"declared again, it is unmarked; removed again, it takes two runs again": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.declares(db, web)
		s.run().shows(converged, "db unchanged, web unchanged").
			says("declared again, no longer marked").
			writes("create events, update configmaps")
		s.hasMarks("")
		s.hasEvents("db Installed", "web Installed", "web PruneMarked", "web PruneUnmarked")
		s.run().shows(converged, "db unchanged, web unchanged").writes("")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.has("db 1, web 1")
		s.run().shows(converged, "db unchanged, web pruned")
		s.has("db 1")
	},

	"declared again with a change, it is upgraded and unmarked": func(s *story) {
		s.installs(web, db)
		s.declares(web)
		s.run().shows(converged, "db marked, web unchanged")
		s.declares(web, dbRed)
		s.run().shows(converged, "db upgraded, web unchanged").says("declared again, no longer marked")
		s.hasMarks("")
	},

	"with a grace period it stays, and the report has the time": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run("--prune-grace", "1h").shows(converged, "db unchanged, web marked").says("not before 20")
		due := s.state().Marks[0].Since.Add(time.Hour).Format(time.RFC3339)
		s.run("--prune-grace", "1h").shows(converged, "db unchanged, web orphaned").
			says("will be uninstalled after " + due).
			writes("update configmaps")
		s.hasMarks("web 2")
		s.editsState(func(m *release.InstanceState) { m.Marks[0].Since = m.Marks[0].Since.Add(-time.Hour) })
		s.run("--prune-grace", "1h").shows(converged, "db unchanged, web pruned")
		s.has("db 1")
	},

	"--prune report and off only report, and keep the marks": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run("--prune", "off").shows(converged, "db unchanged, web orphaned").says("pruning is off").writes("")
		s.run("--prune", "report").shows(converged, "db unchanged, web orphaned").says("pruning is set to report only").writes("")
		s.run().shows(converged, "db unchanged, web marked")
		s.run("--prune", "report").shows(converged, "db unchanged, web orphaned")
		s.run().shows(converged, "db unchanged, web pruned")
	},

	"a run with a selector neither marks nor prunes": func(s *story) {
		s.installs(db, cache, web)
		s.declares(db, cache)
		s.run("--selector", "name=db").shows(converged, "cache left, db unchanged, web orphaned").says("a selector is in use")
		s.hasMarks("")
		s.run().shows(converged, "cache unchanged, db unchanged, web marked")
		s.run("--selector", "name=db").shows(converged, "cache left, db unchanged, web orphaned")
		s.has("cache 1, db 1, web 1")
		s.run().shows(converged, "cache unchanged, db unchanged, web pruned")
	},

	"too many at once are held, until a person allows the commit": func(s *story) {
		s.installs(cache, db, mail, web)
		s.declares(db)
		s.run().shows(converged, "cache marked, db unchanged, mail marked, web marked")
		first := s.commit()[:7]
		s.run().shows(pruneRefused, "cache held, db unchanged, mail held, web held").
			says("pruning 3 of 4 releases at once exceeds the limit of 50 %", "--prune-allow "+first)
		s.declares(dbRed)
		s.run("--prune-allow", first).shows(pruneRefused, "cache held, db upgraded, mail held, web held").
			says("--prune-allow " + s.commit()[:7])
		s.has("cache 1, db 2, mail 1, web 1")
		s.run("--prune-allow", s.commit()[:7]).shows(converged, "cache pruned, db unchanged, mail pruned, web pruned")
		s.has("db 2")
	},

	"a larger share can be configured": func(s *story) {
		s.installs(cache, db, web)
		s.declares(db)
		s.run().shows(converged, "cache marked, db unchanged, web marked")
		s.run("--prune-max-share", "100%").shows(converged, "cache pruned, db unchanged, web pruned")
	},

	"emptied by accident, reverted, and emptied again: nothing is pruned": func(s *story) {
		s.installs(db, web)
		for range 2 {
			s.declares()
			for range 3 {
				s.run().shows(pruneRefused, "db held, web held").
					says("the helmfile declares no releases", "--prune-allow "+s.commit()[:7]).writesNoState()
			}
			s.hasMarks("")
			s.declares(db, web)
			s.run().shows(converged, "db unchanged, web unchanged").writes("")
		}
		s.has("db 1, web 1")
	},

	"emptied on purpose: a person allows the commit, and two runs prune all": func(s *story) {
		s.installs(db, web)
		s.declares()
		s.run().shows(pruneRefused, "db held, web held")
		s.run("--prune-allow", s.commit()).shows(converged, "db marked, web marked")
		s.run("--prune-allow", s.commit()).shows(converged, "db pruned, web pruned")
		s.has("")
		s.run("--prune-allow", s.commit()).shows(converged, "").writes("")
	},

	"a helmfile without releases: empty, only comments, or an empty list": func(s *story) {
		s.installs(db, web)
		for helmfile, code := range map[string]int{
			"":                                      desiredInvalid,
			"# nothing\n":                           desiredInvalid,
			"releases:\n":                           pruneRefused,
			"environments: {default: {}}\n---\n":    pruneRefused,
			"helmfiles: [{path: not-there.yaml}]\n": desiredInvalid,
			"releases:\n" + db + "  # no more\n---\nreleases: []\n": converged,
		} {
			s.repo.commit(s.t, map[string]string{"helmfile.yaml": helmfile}, "oops")
			if c := s.run(); c.code != code {
				s.t.Errorf("%q: want %d, got %s", helmfile, code, c.result)
			}
		}
		s.has("db 1, web 1")
	},

	"a missing helmfile": func(s *story) {
		s.installs(db, web)
		s.repo.commit(s.t, map[string]string{"helmfile.yaml": servers.Deleted}, "gone")
		for range 2 {
			s.run().shows(desiredInvalid, "").writes("")
		}
		s.has("db 1, web 1")
	},

	"a typo in the environment": func(s *story) {
		s.commits(twoEnvironments + "releases:\n" + db + web)
		s.run("--environment", "production").shows(converged, "db installed, web installed")
		for range 2 {
			s.run("--environment", "prodution").shows(desiredInvalid, "").says("prodution").writes("")
		}
		s.has("db 1, web 1")
		s.hasMarks("")
	},

	"another environment that is defined: its releases do not replace those of the first": func(s *story) {
		s.commits(twoEnvironments + "releases:\n" + db + "- {name: web, chart: ./chart, condition: web.enabled}\n")
		s.run("--environment", "production").shows(converged, "db installed, web installed")
		s.commits(twoEnvironments + "releases:\n" + db)
		s.run("--environment", "staging").shows(pruneRefused, "db adopted, web held").says("another repository, path or environment")
		s.run("--environment", "staging").shows(pruneRefused, "db unchanged, web held")
		s.run("--environment", "production").shows(converged, "db adopted, web marked")
		s.run("--environment", "staging").shows(pruneRefused, "db adopted, web held")
		s.has("db 1, web 1")
	},

	"one of several state files does not define the environment any more": func(s *story) {
		s.repo.commit(s.t, map[string]string{
			"helmfile.yaml":     "",
			"helmfile.d/a.yaml": twoEnvironments + "releases:\n- {name: db, chart: ../chart}\n",
			"helmfile.d/b.yaml": twoEnvironments + "releases:\n- {name: web, chart: ../chart}\n",
		}, "two files")
		production := []string{"--path", "helmfile.d", "--environment", "production"}
		s.run(production...).shows(converged, "db installed, web installed")
		s.repo.commit(s.t, map[string]string{"helmfile.d/b.yaml": "environments: {staging: {}}\n---\nreleases:\n- {name: web, chart: ../chart}\n"}, "oops")
		for range 2 {
			s.run(production...).shows(pruneRefused, "db unchanged, web held").
				says("helmfile skipped a state file: helmfile.d/b.yaml", "helmfile skipped state files: helmfile.d/b.yaml does not define the environment")
		}
		s.run(append(production, "--prune-allow", s.commit())...).shows(pruneRefused, "db unchanged, web held")
		s.hasMarks("")
		s.has("db 1, web 1")
	},

	"a broken template between mark and prune": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.commits("releases: [{name: {{ nonsense }}}]\n")
		s.run().shows(desiredInvalid, "").writes("")
		s.hasMarks("web 1")
		s.has("db 1, web 1")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web pruned")
	},

	"a failed release prevents pruning in that run": func(s *story) {
		s.installs(db, web)
		s.declares(dbBroken)
		s.run().shows(releasesFailed, "db refused, web marked")
		s.run().shows(releasesFailed, "db refused, web skipped").says("a release failed in this run: a later run without failures prunes it")
		s.has("db 1, web 1")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web pruned")
		s.has("db 1")
	},

	"renamed: the new release is installed first, the old one is marked and pruned": func(s *story) {
		s.installs(db, web)
		s.declares(db, "- {name: website, chart: ./chart}\n")
		s.run().shows(converged, "db unchanged, web marked, website installed")
		s.has("db 1, web 1, website 1")
		s.run().shows(converged, "db unchanged, web pruned, website unchanged")
		s.has("db 1, website 1")
	},

	"moved to another namespace: the new release is installed first, the old one is marked and pruned": func(s *story) {
		s.bindSecond()
		s.installs(db, web)
		s.declares(db, webAway)
		s.run().shows(converged, "db unchanged, web marked, SECOND/web installed")
		s.run().shows(converged, "db unchanged, web pruned, SECOND/web unchanged")
		s.has("SECOND/web 1, db 1")
	},

	"the last release of a namespace is found through the saved state": func(s *story) {
		s.bindSecond()
		s.installs(db, webAway)
		s.declares(db)
		s.run().shows(converged, "db unchanged, SECOND/web marked")
		s.run().shows(converged, "db unchanged, SECOND/web pruned")
		s.has("db 1")
		s.run().shows(converged, "db unchanged").writes("")
		if diff := s.state().Namespaces; len(diff) != 1 {
			s.t.Errorf("namespaces in the state: %q", diff)
		}
	},

	"the state is lost: the agent finds the releases in namespaces that it reads": func(s *story) {
		s.bindSecond()
		s.installs(db, web, webAway)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked, SECOND/web marked")
		s.deletesState()
		for range 2 {
			s.run().shows(pruneRefused, "db unchanged, web held").says("its record was not written by this agent, or was changed since")
		}
		s.has("SECOND/web 1, db 1, web 1")
		s.declares(db, web, webAway)
		s.run().shows(converged, "db unchanged, web unchanged, SECOND/web unchanged")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked, SECOND/web marked")
		s.run("--prune-max-share", "100").shows(converged, "db unchanged, web pruned, SECOND/web pruned")
	},

	"the state is invalid or of a newer version: the agent warns and starts with an empty state": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		for _, nonsense := range []string{"{", "", `{"version":2,"marks":[]}`, `{"version":1,"marks":"none"}`} {
			s.overwritesState(nonsense)
			s.run().shows(pruneRefused, "db unchanged, web held").says("the state of instance helmfile-agent could not be decoded and starts empty")
			s.hasMarks("")
		}
		s.has("db 1, web 1")
	},

	"another client writes the state during a run": func(s *story) {
		s.installs(db, web)
		repositories := s.duringRun(func() { s.patchObject(stateName, `{"metadata":{"labels":{"written":"meanwhile"}}}`) })
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(locked, "db relabelled, web to mark").says("another client, which does not hold the lock, changed it")
		s.hasMarks("")
		s.run().shows(converged, "db unchanged, web marked")
		s.run().shows(converged, "db unchanged, web pruned")
	},

	"two clients write the first state": func(s *story) {
		state := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: stateName, Labels: ownLabels(leaseName)}}
		repositories := s.duringRun(func() {
			must(s.configMaps().Create(s.t.Context(), state, meta.CreateOptions{}))(s.t)
		})
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(locked, "db installed").says("another client, which does not hold the lock, changed it")
		s.run().shows(converged, "db unchanged").says("could not be decoded")
	},

	"prune: keep as a label in the helmfile: the release stays after its entry is removed": func(s *story) {
		s.installs(db, webKept)
		s.declares(db)
		for range 3 {
			s.run().shows(converged, "db unchanged, web orphaned").says("a label or an annotation says to keep it").writes("")
		}
		s.has("db 1, web 1")
	},

	"prune: keep removed while the release is declared, then the entry removed": func(s *story) {
		s.installs(db, webKept)
		s.declares(db, web)
		s.run().shows(converged, "db unchanged, web adopted")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.run().shows(converged, "db unchanged, web pruned")
	},

	"prune: keep as an annotation of the newest record, also if the release is already marked": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.patches("web", 1, `{"metadata":{"annotations":{"helmfile-agent.github.io/prune":"keep"}}}`)
		for range 2 {
			s.run().shows(converged, "db unchanged, web orphaned").says("a label or an annotation says to keep it")
		}
		s.patches("web", 1, `{"metadata":{"annotations":{"helmfile-agent.github.io/prune":null}}}`)
		s.run().shows(converged, "db unchanged, web pruned")
	},

	"another repository: undeclared releases are held, declared ones are adopted": func(s *story) {
		s.installs(db, web)
		successor := s.withInstance("helmfile-agent")
		successor.declares(db)
		for range 3 {
			c := successor.run()
			c.says("web: no longer declared; it was installed from another repository, path or environment", "--prune-allow "+successor.commit()[:7])
			if c.code != pruneRefused {
				s.t.Errorf("exit code %d", c.code)
			}
		}
		successor.run().shows(pruneRefused, "db unchanged, web held").writesNoState()
		s.has("db 1, web 1")
		allow := []string{"--prune-allow", successor.commit()}
		successor.run(allow...).shows(converged, "db unchanged, web marked")
		successor.run(allow...).shows(converged, "db unchanged, web pruned")
		s.hasEvents("db Installed", "web Installed", "db Adopted", "Warning web PruneRefused", "web PruneMarked", "web Pruned")
	},

	"a release that is disabled by its condition is not removed": func(s *story) {
		condition := func(on string) string {
			return "environments: {default: {values: [{web: {enabled: " + on + "}}]}}\n---\nreleases:\n" + db + "- {name: web, chart: ./chart, condition: web.enabled}\n"
		}
		s.commits(condition("true"))
		s.run().shows(converged, "db installed, web installed")
		s.commits(condition("false"))
		for range 3 {
			s.run().shows(converged, "db unchanged, web left").writes("")
		}
		s.has("db 1, web 1")
	},

	"not selected by a nested helmfile: the release still counts as declared": func(s *story) {
		s.commits("helmfiles: [{path: sub/helmfile.yaml}]\n-- sub/helmfile.yaml --\nreleases:\n- {name: db, chart: ../chart}\n- {name: web, chart: ../chart}\n")
		s.run().shows(converged, "db installed, web installed")
		s.commits("helmfiles: [{path: sub/helmfile.yaml, selectors: [name=db]}]\n")
		for range 2 {
			s.run().shows(converged, "db unchanged, web left").writes("")
		}
	},

	"uninstalled by hand between mark and prune: the mark is removed": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.helm("uninstall", "web")
		s.run().shows(converged, "db unchanged").writes("update configmaps")
		s.hasMarks("")
		s.run().shows(converged, "db unchanged").writes("")
	},

	"uninstalled by hand with --keep-history: the mark is removed": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.helm("uninstall", "web", "--keep-history")
		s.run().shows(converged, "db unchanged")
		s.run().shows(converged, "db unchanged").writes("")
	},

	"upgraded by hand between mark and prune: the agent did not write that revision, so it is held": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.helm("upgrade", "web", s.chartDir(), "--set", "color=green")
		s.run().shows(pruneRefused, "db unchanged, web held")
		s.hasMarks("")
		s.has("db 1, web 2")
		s.helm("uninstall", "web")
		s.run().shows(converged, "db unchanged")
	},

	"upgraded by hand during the run that would prune it": func(s *story) {
		s.installs(db, web)
		repositories := s.duringRun(func() {})
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(converged, "db relabelled, web marked")
		chart := s.chartDir()
		repositories = s.duringRun(func() { s.helm("upgrade", "web", chart, "--set", "color=green") })
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(releasesFailed, "db relabelled, web failed").says("was changed by another client during this run: not pruned")
		s.has("db 1, web 2")
		s.run().shows(pruneRefused, "db unchanged, web held")
	},

	"annotated with prune: keep by hand during the run that would prune it": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		repositories := s.duringRun(func() {
			s.patches("web", 1, `{"metadata":{"annotations":{"helmfile-agent.github.io/prune":"keep"}}}`)
		})
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(releasesFailed, "db relabelled, web failed")
		s.has("db 1, web 1")
		s.run().shows(converged, "db unchanged, web orphaned")
	},

	"releases are pruned in the order of their former needs": func(s *story) {
		s.installs(mail,
			"- {name: cache, chart: ./chart}\n",
			"- {name: db, chart: ./chart, needs: [cache]}\n",
			"- {name: web, chart: ./chart, needs: [db]}\n")
		s.declares(mail)
		s.run().shows(converged, "cache marked, db marked, mail unchanged, web marked")
		s.run("--prune-max-share", "80%").shows(converged, "cache pruned, db pruned, mail unchanged, web pruned").
			deletes("web", "db", "cache")
	},

	"a failed uninstallation is tried again, and the needed releases stay until then": func(s *story) {
		s.installs(mail, cache, db, "- {name: web, chart: ./chart, needs: [db], values: [{farewell: Not_A_Name}]}\n")
		s.declares(mail, cache)
		s.run().shows(converged, "cache unchanged, db marked, mail unchanged, web marked")
		s.run().shows(releasesFailed, "cache unchanged, db skipped, mail unchanged, web failed").says("/web failed")
		s.run().shows(releasesFailed, "cache unchanged, db skipped, mail unchanged, web failed")
		s.has("cache 1, db 1, mail 1, web 1")
	},

	"declared again after a failed uninstallation: it is upgraded": func(s *story) {
		s.installs(db, "- {name: web, chart: ./chart, values: [{farewell: Not_A_Name}]}\n")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.run().shows(releasesFailed, "db unchanged, web failed")
		s.declares(db, web)
		s.run().shows(converged, "db unchanged, web upgraded")
		s.has("db 1, web 2")
	},

	"its objects were already deleted": func(s *story) {
		s.installs(db, web)
		check(s.t, s.configMaps().Delete(s.t.Context(), "web", meta.DeleteOptions{}))
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.run().shows(converged, "db unchanged, web pruned")
		s.has("db 1")
	},

	"stopped before it could prune: the mark stays, and that run does not count": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.declares("- {name: db, chart: ./chart, wait: true, values: [{endless: true}]}\n")
		s.stopped().shows(terminated, "db failed, web skipped")
		s.hasMarks("web 1")
		s.has("db 2, web 1")
		s.declares(db)
		s.run().shows(converged, "db upgraded, web pruned")
	},

	"stopped after it installed a release in another namespace: the next run finds the release": func(s *story) {
		s.bindSecond()
		s.installs(db)
		s.declares(db, webAway, "- {name: cache, chart: ./chart, wait: true, values: [{endless: true}], needs: [SECOND/web]}\n")
		s.stopped().shows(terminated, "cache failed, db unchanged, SECOND/web installed")
		s.declares(db, cache)
		s.run().shows(converged, "cache installed, db unchanged, SECOND/web marked")
		s.run().shows(converged, "cache unchanged, db unchanged, SECOND/web pruned")
	},

	"the clock went back to before the mark": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.editsState(func(m *release.InstanceState) { m.Marks[0].Since = m.Marks[0].Since.Add(24 * time.Hour) })
		s.run().shows(pruneRefused, "db unchanged, web held").says("the clock went back", "it is marked again")
		s.run().shows(converged, "db unchanged, web pruned")
	},

	"rights in a namespace are removed and granted again": func(s *story) {
		s.bindSecond()
		s.installs(db, webAway)
		s.declares(db)
		s.run().shows(converged, "db unchanged, SECOND/web marked")
		s.unbindSecond()
		s.run().shows(converged, "db unchanged").writes("")
		s.bindSecond()
		s.run().shows(converged, "db unchanged, SECOND/web pruned")
	},

	"diff announces the mark and the prune, and writes neither": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.diff().shows(converged, "db unchanged, web to mark").
			says("web: no longer declared since commit " + s.commit()[:7] + "; will be uninstalled by the run after next, not before 20").writes("")
		s.diff("--detailed-exitcode").shows(converged, "db unchanged, web to mark")
		s.run().shows(converged, "db unchanged, web marked")
		s.diff("--prune-grace", "1h").shows(converged, "db unchanged, web to orphan").says("will be uninstalled after 20").writes("")
		s.diff("--detailed-exitcode").shows(2, "db unchanged, web to prune").writes("")
		s.hasMarks("web 1")
		text := s.tenant.run("", "helmfile-agent", "diff", "--repo", s.repo.url, "--namespace", s.namespace, "--log-level", "warn")
		contains(s.t, text.stdout, "web: to prune: no longer declared since commit "+s.commit()[:7], "--- ConfigMap/web", "-  color: blue", "1 to prune")
		s.has("db 1, web 1")
	},
}

const twoEnvironments = "environments: {staging: {}, production: {values: [{web: {enabled: true}}]}}\n---\n"
