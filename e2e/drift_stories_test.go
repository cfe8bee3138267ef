package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestDriftStories has the cases that need more than one edit.
func TestDriftStories(t *testing.T) { runStories(t, driftStories) }

// makeRed is the edit in most of the stories.
var makeRed = merge(theConfigMap, `{data: {color: red}}`)

var driftStories = map[string]func(*story){
	"a correction makes no revision and runs no hook, and a run without drift resets the count": func(s *story) {
		s.shop("")
		hook := at(s.object("configmaps/hook"), "/metadata/uid")
		makeRed(s)
		s.run().shows(converged, "shop correct").writes("create events, patch configmaps, update configmaps")
		s.has("shop 1")
		if at(s.object("configmaps/hook"), "/metadata/uid") != hook {
			s.t.Error("the hook ran")
		}
		s.hasEvents("shop Installed", "shop DriftCorrected")
		s.run().shows(converged, "shop unchanged").writes("update configmaps")
		s.run().shows(converged, "shop unchanged").writes("")
	},

	"from the third correction on, the reason names another client": func(s *story) {
		s.shop("")
		for _, output := range []string{"color by kubectl-patch", "color by kubectl-patch", "color by kubectl-patch (corrected in 3 runs in a row: another client keeps changing it)"} {
			makeRed(s)
			s.run().shows(converged, "shop correct").says("ConfigMap/shop: /data/" + output)
		}
		s.run().shows(converged, "shop unchanged")
		makeRed(s)
		if c := s.run().shows(converged, "shop correct"); strings.Contains(c.message(), "in a row") {
			c.t.Errorf("a run without drift did not reset the count: %s", c.message())
		}
	},

	"diff shows the field, the values, the client and the time, and writes nothing": func(s *story) {
		s.shop("")
		makeRed(s)
		merge(theSecret, `{data: {password: b3RoZXI=}}`)(s)
		removed(theBudget)(s)
		c := finishedRun{story: s, since: now(s.t)}
		r := s.tenant.run("", "helmfile-agent", "diff", "--repo", s.repo.url, "--namespace", s.namespace)
		today := time.Now().UTC().Format("2006-01-02T")
		contains(s.t, r.stdout,
			`ConfigMap/shop`, `/data/color: "red", should be "blue" (by kubectl-patch, `+today,
			`Secret/shop`, `/data/password: ********, should be ******** (by kubectl-patch, `+today,
			`PodDisruptionBudget/shop is missing`)
		for _, value := range []string{"b3RoZXI=", "c2VzYW1l", "sesame"} {
			if strings.Contains(r.stdout+r.stderr, value) {
				s.t.Errorf("a Secret's value was printed: %s", r)
			}
		}
		c.writes("")
		s.hasField(theConfigMap + " /data/color: red")
	},

	"the report has no values of Secrets": func(s *story) {
		s.shop("")
		merge(theSecret, `{data: {password: b3RoZXI=, user: bWFsbG9yeQ==}}`)(s)
		c := s.run("--log-level", "debug").shows(converged, "shop correct")
		for _, value := range []string{"b3RoZXI=", "c2VzYW1l", "sesame", "bWFsbG9yeQ==", "mallory"} {
			if strings.Contains(c.stdout+c.stderr, value) {
				s.t.Errorf("%s was printed: %s", value, c.result)
			}
		}
	},

	"an upgrade also corrects drift": func(s *story) {
		s.shop("")
		merge(theConfigMap, `{data: {color: red}, metadata: {labels: {tier: back}}}`)(s)
		s.commitsShop(", values: [{color: green}]")
		s.run().shows(converged, "shop upgraded").says("values changed: color")
		s.hasField(theConfigMap + " /data/color: green")
		s.has("shop 2")
		for range 2 {
			s.run()
		}
		s.hasField(theConfigMap + " /metadata/labels/tier: front")
		s.has("shop 2")
		s.run().shows(converged, "shop unchanged").writes("")
	},

	"two releases drifted, and one cannot be corrected": func(s *story) {
		s.declaresShopAndOther()
		s.run().shows(converged, "other installed, shop installed")
		recreated(theStatefulSet, set("other", "spec", "serviceName"))(s)
		merge("configmaps/other", `{data: {color: red}}`)(s)
		s.run().shows(releasesFailed, "other correct, shop failed").says("shop: drift: StatefulSet/shop: /spec/serviceName", "the agent never deletes")
		s.hasField("configmaps/other /data/color: blue")
		s.hasField(theStatefulSet + " /spec/serviceName: other")
	},

	"a release whose label says warn": func(s *story) {
		s.shop(", labels: {helmfile-agent.github.io/drift: warn}")
		makeRed(s)
		s.run().shows(converged, "shop drifted").says("ConfigMap/shop: /data/color by kubectl-patch")
		s.hasField(theConfigMap + " /data/color: red")
		s.run("--drift", "warn").shows(converged, "shop drifted")
		s.hasEvents("shop Installed", "shop Drifted")
	},

	"a release whose label says correct, in a run that only warns": func(s *story) {
		s.shop(", labels: {helmfile-agent.github.io/drift: correct}")
		makeRed(s)
		s.run("--drift", "warn").shows(converged, "shop correct")
		s.hasField(theConfigMap + " /data/color: blue")
	},

	"a release with the label off is not compared": func(s *story) {
		s.shop(`, labels: {helmfile-agent.github.io/drift: "off"}`)
		makeRed(s)
		s.run().shows(converged, "shop unchanged").reads("get configmaps, get leases, list secrets")
		s.hasField(theConfigMap + " /data/color: red")
	},

	"a run with drift off compares nothing": func(s *story) {
		s.shop("")
		makeRed(s)
		s.run("--drift", "off").shows(converged, "shop unchanged").reads("get configmaps, get leases, list secrets")
	},

	"one object with warn, another corrected": func(s *story) {
		s.shop("")
		makeRed(s)
		merge(watchedMap, `{data: {color: red}}`)(s)
		s.run().shows(converged, "shop correct").says("drift: ConfigMap/shop: /data/color by kubectl-patch")
		s.hasField(theConfigMap + " /data/color: blue")
		s.hasField(watchedMap + " /data/color: red")
		s.run().shows(converged, "shop drifted")
	},

	"with the right to get but not to list": func(s *story) {
		s.limitsRights()
		s.declares(db)
		s.run().shows(converged, "db installed")
		merge("configmaps/db", `{data: {color: red}}`)(s)
		s.run().shows(converged, "db correct").says("ConfigMap/db: /data/color by kubectl-patch")
		removed("configmaps/db")(s)
		s.run().shows(converged, "db correct").says("ConfigMap/db is missing")
		s.run().shows(converged, "db unchanged")
		s.hasField("configmaps/db /data/color: blue")
	},

	"without the right to correct, the message names the missing right": func(s *story) {
		s.limitsRights()
		s.declares(db)
		s.run().shows(converged, "db installed")
		merge("configmaps/db", `{data: {color: red}}`)(s)
		s.setsRights("configmaps", "get", "update", "create")
		c := s.run()
		if c.code != forbiddenCode {
			s.t.Errorf("without the right to patch: %s", c.result)
		}
		c.says("patch configmaps")
	},
}

const forbiddenCode = 17

// shop installs the release shop.
func (s *story) shop(more string) {
	s.t.Helper()
	s.commitsShop(more)
	if c := s.run(); c.code != converged {
		s.t.Fatalf("the shop was not installed: %s", c.result)
	}
}

// declaresShopAndOther declares another release in addition to shop.
func (s *story) declaresShopAndOther() {
	s.t.Helper()
	s.commitsShop("")
	s.repo.commit(s.t, map[string]string{
		"helmfile.yaml": "releases:\n- {name: shop, chart: ./shop}\n- {name: other, chart: ./chart}\n",
	}, "two")
}

// reads compares the requests of the run that read resources, without discovery.
func (c finishedRun) reads(want string) {
	c.t.Helper()
	var requested []string
	for _, r := range requests(c.t, c.since, c.tenant) {
		if r.Resource != "" {
			requested = append(requested, r.Verb+" "+r.Resource)
		}
	}
	slices.Sort(requested)
	if got := strings.Join(requested, ", "); got != want {
		c.t.Errorf("requests: want %q, got %q", want, got)
	}
}

// limitsRights removes the tenant's rights except those that the agent always needs.
func (s *story) limitsRights() {
	s.t.Helper()
	bindings := client(s.t).RbacV1().RoleBindings(s.namespace)
	check(s.t, bindings.DeleteCollection(s.t.Context(), meta.DeleteOptions{}, meta.ListOptions{}))
	s.setsRights("secrets", "*")
	s.setsRights("events", "create")
	s.setsRights("leases.coordination.k8s.io", "get", "create", "update")
	s.setsRights("configmaps", "get", "create", "update", "patch")
}

// setsRights sets the tenant's rights for a resource, such as leases.coordination.k8s.io. It returns when they are in force.
func (s *story) setsRights(resource string, verbs ...string) {
	s.t.Helper()
	name := "may-" + resource
	roles, bindings := client(s.t).RbacV1().Roles(s.namespace), client(s.t).RbacV1().RoleBindings(s.namespace)
	resource, group, _ := strings.Cut(resource, ".")
	role := &rbac.Role{ObjectMeta: meta.ObjectMeta{Name: name}, Rules: []rbac.PolicyRule{{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}}}
	if _, err := roles.Create(s.t.Context(), role, meta.CreateOptions{}); err != nil {
		must(roles.Update(s.t.Context(), role, meta.UpdateOptions{}))(s.t)
	} else {
		must(bindings.Create(s.t.Context(), &rbac.RoleBinding{
			ObjectMeta: meta.ObjectMeta{Name: name},
			RoleRef:    rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "Role", Name: name},
			Subjects:   []rbac.Subject{{APIGroup: rbac.GroupName, Kind: rbac.UserKind, Name: s.user}},
		}, meta.CreateOptions{}))(s.t)
	}
	time.Sleep(time.Second) // the API server's watch needs a moment
}

// TestDriftOfDefinitions changes custom resources. It does not run in parallel with tests that count requests, because new kinds change
// their fingerprints.
func TestDriftOfDefinitions(t *testing.T) {
	u := newAdmin(t)
	s := &story{tenant: u, t: t, repo: newRepository(t, map[string]string{
		"helmfile.yaml":        "releases:\n- {name: crd, chart: ./crd}\n- {name: planets, chart: ./planets, needs: [crd]}\n",
		"crd/Chart.yaml":       "apiVersion: v2\nname: crd\nversion: 1.0.0\n",
		"crd/templates/a.yaml": planetDefinition,
		"planets/Chart.yaml":   "apiVersion: v2\nname: planets\nversion: 1.0.0\n",
		"planets/templates/a.yaml": `apiVersion: drift.example.com/v1
kind: Planet
metadata: {name: mars}
spec: {color: red, moons: [{name: phobos}, {name: deimos, km: 12}], rings: {}}
`,
	})}
	const crd, mars = "customresourcedefinitions.v1.apiextensions.k8s.io/planets.drift.example.com", "planets.v1.drift.example.com/mars"
	s.run().shows(converged, "crd installed, planets installed")
	s.run().shows(converged, "crd unchanged, planets unchanged").writes("")
	s.hasField(mars + " /spec/size: 1")

	for title, test := range map[string]incident{
		"a field of a custom resource changed": {
			edit: merge(mars, `{spec: {color: blue}}`), why: []string{"planets: drift: Planet/mars: /spec/color by kubectl-patch"}, live: []string{mars + " /spec/color: red"},
		},
		"a field taken over by a controller": {
			edit: serverSide(mars, `{spec: {color: blue}}`), why: []string{"planets: drift: Planet/mars: /spec/color by another-controller"}, live: []string{mars + " /spec/color: red"},
		},
		"a field removed": {
			edit: jsonPatch(mars, `[{op: remove, path: /spec/color}]`), why: []string{"planets: drift: Planet/mars: /spec/color"}, live: []string{mars + " /spec/color: red"},
		},
		"an element added to a list": {
			edit: jsonPatch(mars, `[{op: add, path: /spec/moons/-, value: {name: third}}]`), why: []string{"Planet/mars: /spec/moons by kubectl-patch"},
			live: []string{mars + " /spec/moons: [{name: phobos, km: 5}, {name: deimos, km: 12}]"},
		},
		"a default changed": {
			edit: merge(mars, `{spec: {size: 2}}`), verdict: unchanged, live: []string{mars + " /spec/size: 2"},
		},
		"a field added": {
			edit: merge(mars, `{spec: {name: Ares}}`), verdict: unchanged, live: []string{mars + " /spec/name: Ares"},
		},
		"a custom resource deleted": {
			edit: removed(mars), why: []string{"planets: drift: Planet/mars is missing"}, live: []string{mars + " /spec/color: red"},
		},
		"a definition changed": {
			edit: merge(crd, `{spec: {names: {shortNames: [pl, plan]}}}`), why: []string{"crd: drift: CustomResourceDefinition/planets.drift.example.com: /spec/names/shortNames by kubectl-patch"},
			live: []string{crd + " /spec/names/shortNames: [pl]"},
		},
	} {
		test.edit(s)
		found := s.run()
		t.Log(title)
		if test.verdict == unchanged {
			found.shows(converged, "crd unchanged, planets unchanged").writes("")
		} else if found.code != converged {
			t.Errorf("%s: %s", title, found.result)
		}
		found.says(test.why...)
		for _, line := range test.live {
			s.hasField(line)
		}
		s.run().shows(converged, "crd unchanged, planets unchanged")
	}
}

const planetDefinition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: planets.drift.example.com}
spec:
  group: drift.example.com
  scope: Namespaced
  names: {kind: Planet, plural: planets, shortNames: [pl]}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                color: {type: string}
                name: {type: string}
                size: {type: integer, default: 1}
                rings: {type: object, x-kubernetes-preserve-unknown-fields: true}
                moons: {type: array, items: {type: object, properties: {name: {type: string}, km: {type: integer, default: 5}}}}
`
