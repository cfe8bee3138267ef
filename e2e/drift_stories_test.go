package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestDriftTales tells what takes more than one edit.
func TestDriftTales(t *testing.T) { tellAll(t, driftTales) }

// redden is the edit that most tales are about.
var redden = merge(theConfigMap, `{data: {color: red}}`)

var driftTales = map[string]func(*story){
	"a correction makes no revision, runs no hook, and is forgotten when all is quiet": func(s *story) {
		s.shop("")
		hook := at(s.object("configmaps/hook"), "/metadata/uid")
		redden(s)
		s.run().shows(converged, "shop correct").writes("create events, patch configmaps, update configmaps")
		s.has("shop 1")
		if at(s.object("configmaps/hook"), "/metadata/uid") != hook {
			s.t.Error("the hook ran")
		}
		s.told("shop Installed", "shop DriftCorrected")
		s.run().shows(converged, "shop unchanged").writes("update configmaps")
		s.run().shows(converged, "shop unchanged").writes("")
	},

	"the third correction in a row is a fight": func(s *story) {
		s.shop("")
		for _, said := range []string{"color by kubectl-patch", "color by kubectl-patch", "color by kubectl-patch (corrected in 3 runs in a row: another client keeps changing it)"} {
			redden(s)
			s.run().shows(converged, "shop correct").says("ConfigMap/shop: /data/" + said)
		}
		s.run().shows(converged, "shop unchanged")
		redden(s)
		if c := s.run().shows(converged, "shop correct"); strings.Contains(c.message(), "in a row") {
			c.t.Errorf("a quiet run ends a fight: %s", c.message())
		}
	},

	"diff shows field, values, who and when, and writes nothing": func(s *story) {
		s.shop("")
		redden(s)
		merge(theSecret, `{data: {password: b3RoZXI=}}`)(s)
		removed(theBudget)(s)
		c := scene{story: s, since: now(s.t)}
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
		s.lives(theConfigMap + " /data/color: red")
	},

	"a Secret's values are in no report": func(s *story) {
		s.shop("")
		merge(theSecret, `{data: {password: b3RoZXI=, user: bWFsbG9yeQ==}}`)(s)
		c := s.run("--log-level", "debug").shows(converged, "shop correct")
		for _, value := range []string{"b3RoZXI=", "c2VzYW1l", "sesame", "bWFsbG9yeQ==", "mallory"} {
			if strings.Contains(c.stdout+c.stderr, value) {
				s.t.Errorf("%s was printed: %s", value, c.result)
			}
		}
	},

	"drift and a new value in one commit: an upgrade, which corrects too": func(s *story) {
		s.shop("")
		merge(theConfigMap, `{data: {color: red}, metadata: {labels: {tier: back}}}`)(s)
		s.commitsShop(", values: [{color: green}]")
		s.run().shows(converged, "shop upgraded").says("values changed: color")
		s.lives(theConfigMap + " /data/color: green")
		s.has("shop 2")
		for range 2 {
			s.run()
		}
		s.lives(theConfigMap + " /metadata/labels/tier: front")
		s.has("shop 2")
		s.run().shows(converged, "shop unchanged").writes("")
	},

	"two releases drifted, and one cannot be corrected": func(s *story) {
		s.declaresShops()
		s.run().shows(converged, "other installed, shop installed")
		remade(theStatefulSet, set("other", "spec", "serviceName"))(s)
		merge("configmaps/other", `{data: {color: red}}`)(s)
		s.run().shows(releasesFailed, "other correct, shop failed").says("shop: drift: StatefulSet/shop: /spec/serviceName", "the agent never deletes")
		s.lives("configmaps/other /data/color: blue")
		s.lives(theStatefulSet + " /spec/serviceName: other")
	},

	"a release whose label says warn": func(s *story) {
		s.shop(", labels: {helmfile-agent.github.io/drift: warn}")
		redden(s)
		s.run().shows(converged, "shop drifted").says("ConfigMap/shop: /data/color by kubectl-patch")
		s.lives(theConfigMap + " /data/color: red")
		s.run("--drift", "warn").shows(converged, "shop drifted")
		s.told("shop Installed", "shop Drifted")
	},

	"a release whose label says correct, in a run that only warns": func(s *story) {
		s.shop(", labels: {helmfile-agent.github.io/drift: correct}")
		redden(s)
		s.run("--drift", "warn").shows(converged, "shop correct")
		s.lives(theConfigMap + " /data/color: blue")
	},

	"a release whose label says off is not looked at": func(s *story) {
		s.shop(`, labels: {helmfile-agent.github.io/drift: "off"}`)
		redden(s)
		s.run().shows(converged, "shop unchanged").asked("get configmaps, get leases, list secrets")
		s.lives(theConfigMap + " /data/color: red")
	},

	"a run with drift off looks at nothing": func(s *story) {
		s.shop("")
		redden(s)
		s.run("--drift", "off").shows(converged, "shop unchanged").asked("get configmaps, get leases, list secrets")
	},

	"one object watched, another corrected": func(s *story) {
		s.shop("")
		redden(s)
		merge(watchedMap, `{data: {color: red}}`)(s)
		s.run().shows(converged, "shop correct").says("drift: ConfigMap/shop: /data/color by kubectl-patch")
		s.lives(theConfigMap + " /data/color: blue")
		s.lives(watchedMap + " /data/color: red")
		s.run().shows(converged, "shop drifted")
	},

	"who may get but not list": func(s *story) {
		s.mayNotList()
		s.declares(db)
		s.run().shows(converged, "db installed")
		merge("configmaps/db", `{data: {color: red}}`)(s)
		s.run().shows(converged, "db correct").says("ConfigMap/db: /data/color by kubectl-patch")
		removed("configmaps/db")(s)
		s.run().shows(converged, "db correct").says("ConfigMap/db is missing")
		s.run().shows(converged, "db unchanged")
		s.lives("configmaps/db /data/color: blue")
	},

	"who may not correct is told which right is missing": func(s *story) {
		s.mayNotList()
		s.declares(db)
		s.run().shows(converged, "db installed")
		merge("configmaps/db", `{data: {color: red}}`)(s)
		s.rights("configmaps", "get", "update", "create")
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

// declaresShops declares another release beside the shop.
func (s *story) declaresShops() {
	s.t.Helper()
	s.commitsShop("")
	s.repo.commit(s.t, map[string]string{
		"helmfile.yaml": "releases:\n- {name: shop, chart: ./shop}\n- {name: other, chart: ./chart}\n",
	}, "two")
}

// asked compares which resources the run asked for, discovery apart.
func (c scene) asked(want string) {
	c.t.Helper()
	var asked []string
	for _, r := range requests(c.t, c.since, c.tenant) {
		if r.Resource != "" {
			asked = append(asked, r.Verb+" "+r.Resource)
		}
	}
	slices.Sort(asked)
	if got := strings.Join(asked, ", "); got != want {
		c.t.Errorf("requests: want %q, got %q", want, got)
	}
}

// mayNotList takes the tenant's rights away but for those that the agent cannot do without.
func (s *story) mayNotList() {
	s.t.Helper()
	bindings := client(s.t).RbacV1().RoleBindings(s.namespace)
	check(s.t, bindings.DeleteCollection(s.t.Context(), meta.DeleteOptions{}, meta.ListOptions{}))
	s.rights("secrets", "*")
	s.rights("events", "create")
	s.rights("leases.coordination.k8s.io", "get", "create", "update")
	s.rights("configmaps", "get", "create", "update", "patch")
}

// rights are those that the tenant has on a resource, such as leases.coordination.k8s.io, in force when it returns.
func (s *story) rights(resource string, verbs ...string) {
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
	time.Sleep(time.Second) // the API server learns of it by a watch
}

// TestDriftOfDefinitions is about custom resources. It is not parallel to tests that count requests, because new kinds change
// what every chart could look at.
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
	s.lives(mars + " /spec/size: 1")

	for title, told := range map[string]incident{
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
		told.edit(s)
		found := s.run()
		t.Log(title)
		if told.verdict == unchanged {
			found.shows(converged, "crd unchanged, planets unchanged").writes("")
		} else if found.code != converged {
			t.Errorf("%s: %s", title, found.result)
		}
		found.says(told.why...)
		for _, line := range told.live {
			s.lives(line)
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
