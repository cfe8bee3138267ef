package e2e

import "testing"

// TestOwnership checks which instance owns a release, and that other instances do not change it.
func TestOwnership(t *testing.T) { runStories(t, ownershipStories) }

var ownershipStories = map[string]func(*story){
	"an installed release is labelled, and an upgrade keeps the labels": func(s *story) {
		s.installs(web)
		s.hasOwner("web", 1, "helmfile-agent")
		s.declares("- {name: web, chart: ./chart, values: [{color: red}]}\n")
		s.run().shows(converged, "web upgraded")
		s.hasOwner("web", 2, "helmfile-agent")
		s.hasEvents("web Installed", "web Upgraded")
	},

	"a failed atomic upgrade that is rolled back keeps the owner": func(s *story) {
		s.installs(db, web)
		s.declares(db, "- {name: web, chart: ./chart, atomic: true, timeout: 2, values: [{endless: true}]}\n")
		s.run().shows(releasesFailed, "db unchanged, web failed")
		s.has("db 1, web 3")
		s.hasOwner("web", 3, "helmfile-agent")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.run().shows(converged, "db unchanged, web pruned")
	},

	"a release of the real helm is adopted without a new revision": func(s *story) {
		s.helm("install", "db", s.chartDir())
		s.declares(db)
		s.run().shows(converged, "db adopted").writes("create configmaps, create events, patch secrets")
		s.has("db 1")
		s.hasOwner("db", 1, "helmfile-agent")
		s.run().shows(converged, "db unchanged").writes("")
		s.declares(dbRed)
		s.run().shows(converged, "db upgraded")
		s.hasOwner("db", 2, "helmfile-agent")
		s.hasEvents("db Adopted", "db Upgraded")
	},

	"a release of the real helm that differs is upgraded, and the instance then owns it": func(s *story) {
		s.helm("install", "db", s.chartDir(), "--set", "color=green")
		s.declares(db)
		s.run().shows(converged, "db upgraded")
		s.hasOwner("db", 2, "helmfile-agent")
	},

	"a release of the real helm that is not declared does not change": func(s *story) {
		s.helm("install", "foreign", s.chartDir())
		s.installs(db)
		for range 3 {
			s.run().shows(converged, "db unchanged").writes("")
		}
		s.has("db 1, foreign 1")
	},

	"two instances in one namespace: each prunes only its own releases": func(s *story) {
		s.installs(db, web)
		other := s.withInstance("other")
		other.installs(cache, mail)
		s.run().shows(converged, "db unchanged, web unchanged").writes("")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		other.run().shows(converged, "cache unchanged, mail unchanged").writes("")
		s.run().shows(converged, "db unchanged, web pruned")
		other.declares(cache)
		other.run().shows(converged, "cache unchanged, mail marked")
		other.run().shows(converged, "cache unchanged, mail pruned")
		s.has("cache 1, db 1")
	},

	"a release that two instances declare stays with the first": func(s *story) {
		s.installs(db)
		other := s.withInstance("other")
		other.declares(cache, dbRed)
		other.run().shows(releasesFailed, "cache installed, db refused").
			says("instance helmfile-agent owns this release, and this agent is instance other")
		s.has("cache 1, db 1")
		s.hasOwner("db", 1, "helmfile-agent")
		other.declares(cache, "- {name: db, chart: ./chart, installed: false}\n")
		other.run().shows(releasesFailed, "cache unchanged, db refused")
		s.has("cache 1, db 1")
		s.hasEvents("cache Installed", "db Installed", "Warning db Refused")
	},

	"moved to another instance: one instance prunes it, and the other installs it": func(s *story) {
		s.installs(db, web)
		other := s.withInstance("other")
		other.declares(web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		other.run().shows(releasesFailed, "web refused")
		s.run().shows(converged, "db unchanged, web pruned")
		other.run().shows(converged, "web installed")
		s.run().shows(converged, "db unchanged")
	},

	"labelled by hand for another instance, between mark and prune": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.patches("web", 1, `{"metadata":{"labels":{"helmfile-agent.github.io/instance":"other"}}}`)
		s.run().shows(converged, "db unchanged")
		other := s.withInstance("other")
		other.declares(web)
		other.run().shows(converged, "web adopted")
		s.run().shows(converged, "db unchanged").writes("")
		s.has("db 1, web 1")
	},

	"labelled by hand for another instance, during the run that would prune it": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		repositories := s.duringRun(func() {
			s.patches("web", 1, `{"metadata":{"labels":{"helmfile-agent.github.io/instance":"other"}}}`)
		})
		s.commits(repositories + "releases:\n" + served)
		s.run().shows(releasesFailed, "db relabelled, web failed").says("was changed by another client during this run: not pruned")
		s.has("db 1, web 1")
	},

	"the owner's label removed by hand: no instance owns it, so it stays": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.patches("web", 1, `{"metadata":{"labels":{"helmfile-agent.github.io/instance":null}}}`)
		for range 2 {
			s.run().shows(converged, "db unchanged")
		}
		s.has("db 1, web 1")
	},
}
