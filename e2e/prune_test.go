package e2e

import (
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// TestPrune tells what becomes of releases whose entries leave the helmfile.
func TestPrune(t *testing.T) { tellAll(t, pruneStories) }

var pruneStories = map[string]func(*story){
	"by the author: installed is false, then the entry goes, and both stay quiet": func(s *story) {
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
			s.t.Error("the hook did not run, or the object stayed")
		}
	},

	"by the author: deleteWait waits for what goes slowly, and deleteTimeout bounds it": func(s *story) {
		lingering := "values: [{finalizer: example.com/stay}]"
		s.installs(db, "- {name: web, chart: ./chart, "+lingering+"}\n")
		s.declares(db, "- {name: web, chart: ./chart, installed: false, deleteWait: true, deleteTimeout: 2}\n")
		s.run().shows(releasesFailed, "db unchanged, web failed")
		s.patchObject("web", `{"metadata":{"finalizers":null}}`)
		s.run().shows(converged, "db unchanged, web unchanged")
	},

	"by the author: without deleteWait nobody waits": func(s *story) {
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
		s.marks("web 1")
		s.has("db 1, web 1")
		s.run().shows(converged, "db unchanged, web pruned").
			says("web: no longer declared since commit " + s.commit()[:7] + ", marked 20")
		s.has("db 1")
		if !s.hasObject("goodbye") || s.hasObject("web") {
			s.t.Error("the pre-delete hook did not run, or the object stayed")
		}
		s.run().shows(converged, "db unchanged").writes("")
		s.told("db Installed", "web Installed", "web PruneMarked", "web Pruned")
	},

	"declared again, it is unmarked; removed again, it takes two runs again": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.declares(db, web)
		s.run().shows(converged, "db unchanged, web unchanged").
			says("declared again, no longer marked").
			writes("create events, update configmaps")
		s.marks("")
		s.told("db Installed", "web Installed", "web PruneMarked", "web PruneUnmarked")
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
		s.marks("")
	},

	"a grace keeps it, and the report says until when": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run("--prune-grace", "1h").shows(converged, "db unchanged, web marked").says("not before 20")
		due := s.state().Marks[0].Since.Add(time.Hour).Format(time.RFC3339)
		s.run("--prune-grace", "1h").shows(converged, "db unchanged, web orphaned").
			says("will be uninstalled after " + due).
			writes("update configmaps")
		s.marks("web 2")
		s.editsState(func(m *release.InstanceState) { m.Marks[0].Since = m.Marks[0].Since.Add(-time.Hour) })
		s.run("--prune-grace", "1h").shows(converged, "db unchanged, web pruned")
		s.has("db 1")
	},

	"--prune report and off report only, and forget no mark": func(s *story) {
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
		s.marks("")
		s.run().shows(converged, "cache unchanged, db unchanged, web marked")
		s.run("--selector", "name=db").shows(converged, "cache left, db unchanged, web orphaned")
		s.has("cache 1, db 1, web 1")
		s.run().shows(converged, "cache unchanged, db unchanged, web pruned")
	},

	"too many at once are refused, until a person allows them for one commit": func(s *story) {
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

	"emptied by accident, reverted, and the revert reverted: nothing is lost": func(s *story) {
		s.installs(db, web)
		for range 2 {
			s.declares()
			for range 3 {
				s.run().shows(pruneRefused, "db held, web held").
					says("the helmfile declares no releases", "--prune-allow "+s.commit()[:7]).writesNoState()
			}
			s.marks("")
			s.declares(db, web)
			s.run().shows(converged, "db unchanged, web unchanged").writes("")
		}
		s.has("db 1, web 1")
	},

	"emptied on purpose: a person allows the commit, and two runs remove all": func(s *story) {
		s.installs(db, web)
		s.declares()
		s.run().shows(pruneRefused, "db held, web held")
		s.run("--prune-allow", s.commit()).shows(converged, "db marked, web marked")
		s.run("--prune-allow", s.commit()).shows(converged, "db pruned, web pruned")
		s.has("")
		s.run("--prune-allow", s.commit()).shows(converged, "").writes("")
	},

	"a helmfile that says nothing: empty, or with comments only, or with no releases": func(s *story) {
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

	"a helmfile that is gone": func(s *story) {
		s.installs(db, web)
		s.repo.commit(s.t, map[string]string{"helmfile.yaml": servers.Deleted}, "gone")
		for range 2 {
			s.run().shows(desiredInvalid, "").writes("")
		}
		s.has("db 1, web 1")
	},

	"a mistyped environment": func(s *story) {
		s.commits(twoEnvironments + "releases:\n" + db + web)
		s.run("--environment", "production").shows(converged, "db installed, web installed")
		for range 2 {
			s.run("--environment", "prodution").shows(desiredInvalid, "").says("prodution").writes("")
		}
		s.has("db 1, web 1")
		s.marks("")
	},

	"another environment that is defined: its releases are not the former's": func(s *story) {
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
		s.marks("")
		s.has("db 1, web 1")
	},

	"a broken template between mark and prune": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.commits("releases: [{name: {{ nonsense }}}]\n")
		s.run().shows(desiredInvalid, "").writes("")
		s.marks("web 1")
		s.has("db 1, web 1")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web pruned")
	},

	"what fails keeps what is marked": func(s *story) {
		s.installs(db, web)
		s.declares(dbBroken)
		s.run().shows(releasesFailed, "db refused, web marked")
		s.run().shows(releasesFailed, "db refused, web skipped").says("a release failed in this run: a later run without failures prunes it")
		s.has("db 1, web 1")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web pruned")
		s.has("db 1")
	},

	"renamed: the new one is installed first, the old one goes through both steps": func(s *story) {
		s.installs(db, web)
		s.declares(db, "- {name: website, chart: ./chart}\n")
		s.run().shows(converged, "db unchanged, web marked, website installed")
		s.has("db 1, web 1, website 1")
		s.run().shows(converged, "db unchanged, web pruned, website unchanged")
		s.has("db 1, website 1")
	},

	"moved to another namespace: the same": func(s *story) {
		s.ownsSecond()
		s.installs(db, web)
		s.declares(db, webAway)
		s.run().shows(converged, "db unchanged, web marked, SECOND/web installed")
		s.run().shows(converged, "db unchanged, web pruned, SECOND/web unchanged")
		s.has("SECOND/web 1, db 1")
	},

	"the last release of a namespace is found through the saved state": func(s *story) {
		s.ownsSecond()
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

	"the state is lost: the agent finds its readable releases again": func(s *story) {
		s.ownsSecond()
		s.installs(db, web, webAway)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked, SECOND/web marked")
		s.losesState()
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
			s.marks("")
		}
		s.has("db 1, web 1")
	},

	"another client writes the state during a run": func(s *story) {
		s.installs(db, web)
		repositories := s.meanwhile(func() { s.patchObject(stateName, `{"metadata":{"labels":{"written":"meanwhile"}}}`) })
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(locked, "db relabelled, web to mark").says("another client, which does not hold the lock, changed it")
		s.marks("")
		s.run().shows(converged, "db unchanged, web marked")
		s.run().shows(converged, "db unchanged, web pruned")
	},

	"two clients write the first state": func(s *story) {
		state := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: stateName, Labels: ownLabels(leaseName)}}
		repositories := s.meanwhile(func() {
			must(s.configMaps().Create(s.t.Context(), state, meta.CreateOptions{}))(s.t)
		})
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(locked, "db installed").says("another client, which does not hold the lock, changed it")
		s.run().shows(converged, "db unchanged").says("could not be decoded")
	},

	"kept by a label in the helmfile: it outlives its entry": func(s *story) {
		s.installs(db, webKept)
		s.declares(db)
		for range 3 {
			s.run().shows(converged, "db unchanged, web orphaned").says("a label or an annotation says to keep it").writes("")
		}
		s.has("db 1, web 1")
	},

	"kept no more: the label goes while it is declared, then the entry": func(s *story) {
		s.installs(db, webKept)
		s.declares(db, web)
		s.run().shows(converged, "db unchanged, web adopted")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.run().shows(converged, "db unchanged, web pruned")
	},

	"kept by an annotation on the newest record: also when it is marked already": func(s *story) {
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

	"another repository: what it does not declare is held, what it declares becomes its own": func(s *story) {
		s.installs(db, web)
		successor := s.beside("helmfile-agent")
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
		s.told("db Installed", "web Installed", "db Adopted", "Warning web PruneRefused", "web PruneMarked", "web Pruned")
	},

	"a condition that is off is no removal": func(s *story) {
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

	"left out by the selectors of a nested helmfile: declared all the same": func(s *story) {
		s.commits("helmfiles: [{path: sub/helmfile.yaml}]\n-- sub/helmfile.yaml --\nreleases:\n- {name: db, chart: ../chart}\n- {name: web, chart: ../chart}\n")
		s.run().shows(converged, "db installed, web installed")
		s.commits("helmfiles: [{path: sub/helmfile.yaml, selectors: [name=db]}]\n")
		for range 2 {
			s.run().shows(converged, "db unchanged, web left").writes("")
		}
	},

	"uninstalled by hand between mark and prune: quiet": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.helm("uninstall", "web")
		s.run().shows(converged, "db unchanged").writes("update configmaps")
		s.marks("")
		s.run().shows(converged, "db unchanged").writes("")
	},

	"uninstalled by hand with its history kept: quiet too": func(s *story) {
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
		s.marks("")
		s.has("db 1, web 2")
		s.helm("uninstall", "web")
		s.run().shows(converged, "db unchanged")
	},

	"upgraded by hand during the run that would prune it": func(s *story) {
		s.installs(db, web)
		repositories := s.meanwhile(func() {})
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(converged, "db relabelled, web marked")
		chart := s.chartDir()
		repositories = s.meanwhile(func() { s.helm("upgrade", "web", chart, "--set", "color=green") })
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(releasesFailed, "db relabelled, web failed").says("was changed by another client during this run: not pruned")
		s.has("db 1, web 2")
		s.run().shows(pruneRefused, "db unchanged, web held")
	},

	"kept by hand during the run that would prune it": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		repositories := s.meanwhile(func() {
			s.patches("web", 1, `{"metadata":{"annotations":{"helmfile-agent.github.io/prune":"keep"}}}`)
		})
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(releasesFailed, "db relabelled, web failed")
		s.has("db 1, web 1")
		s.run().shows(converged, "db unchanged, web orphaned")
	},

	"dependants go first, although nothing declares their needs any more": func(s *story) {
		s.installs(mail,
			"- {name: cache, chart: ./chart}\n",
			"- {name: db, chart: ./chart, needs: [cache]}\n",
			"- {name: web, chart: ./chart, needs: [db]}\n")
		s.declares(mail)
		s.run().shows(converged, "cache marked, db marked, mail unchanged, web marked")
		s.run("--prune-max-share", "80%").shows(converged, "cache pruned, db pruned, mail unchanged, web pruned").
			deletes("web", "db", "cache")
	},

	"what cannot be uninstalled fails, keeps what it needs, and is tried again": func(s *story) {
		s.installs(mail, cache, db, "- {name: web, chart: ./chart, needs: [db], values: [{farewell: Not_A_Name}]}\n")
		s.declares(mail, cache)
		s.run().shows(converged, "cache unchanged, db marked, mail unchanged, web marked")
		s.run().shows(releasesFailed, "cache unchanged, db skipped, mail unchanged, web failed").says("/web failed")
		s.run().shows(releasesFailed, "cache unchanged, db skipped, mail unchanged, web failed")
		s.has("cache 1, db 1, mail 1, web 1")
	},

	"declared again after it could not be uninstalled: it is put right": func(s *story) {
		s.installs(db, "- {name: web, chart: ./chart, values: [{farewell: Not_A_Name}]}\n")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.run().shows(releasesFailed, "db unchanged, web failed")
		s.declares(db, web)
		s.run().shows(converged, "db unchanged, web upgraded")
		s.has("db 1, web 2")
	},

	"its objects are gone already": func(s *story) {
		s.installs(db, web)
		check(s.t, s.configMaps().Delete(s.t.Context(), "web", meta.DeleteOptions{}))
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.run().shows(converged, "db unchanged, web pruned")
		s.has("db 1")
	},

	"told to stop before it could prune: the mark stands, and that run does not count": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.declares("- {name: db, chart: ./chart, wait: true, values: [{endless: true}]}\n")
		s.stopped().shows(terminated, "db failed, web skipped")
		s.marks("web 1")
		s.has("db 2, web 1")
		s.declares(db)
		s.run().shows(converged, "db upgraded, web pruned")
	},

	"told to stop when it had installed something elsewhere: it is found all the same": func(s *story) {
		s.ownsSecond()
		s.installs(db)
		s.declares(db, webAway, "- {name: cache, chart: ./chart, wait: true, values: [{endless: true}], needs: [SECOND/web]}\n")
		s.stopped().shows(terminated, "cache failed, db unchanged, SECOND/web installed")
		s.declares(db, cache)
		s.run().shows(converged, "cache upgraded, db unchanged, SECOND/web marked")
		s.run().shows(converged, "cache unchanged, db unchanged, SECOND/web pruned")
	},

	"the clock went back behind the mark": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.editsState(func(m *release.InstanceState) { m.Marks[0].Since = m.Marks[0].Since.Add(24 * time.Hour) })
		s.run().shows(pruneRefused, "db unchanged, web held").says("the clock went back", "it is marked again")
		s.run().shows(converged, "db unchanged, web pruned")
	},

	"rights in a namespace are lost and come back": func(s *story) {
		s.ownsSecond()
		s.installs(db, webAway)
		s.declares(db)
		s.run().shows(converged, "db unchanged, SECOND/web marked")
		s.disowned()
		s.run().shows(converged, "db unchanged").writes("")
		s.ownsSecond()
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
		s.marks("web 1")
		text := s.tenant.run("", "helmfile-agent", "diff", "--repo", s.repo.url, "--namespace", s.namespace, "--log-level", "warn")
		contains(s.t, text.stdout, "web: to prune: no longer declared since commit "+s.commit()[:7], "--- ConfigMap/web", "-  color: blue", "1 to prune")
		s.has("db 1, web 1")
	},
}

const twoEnvironments = "environments: {staging: {}, production: {values: [{web: {enabled: true}}]}}\n---\n"
