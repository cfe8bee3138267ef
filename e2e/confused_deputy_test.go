package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestConfusedDeputy has a user who may only write Secrets. Helm's records are Secrets. The user must not be able to create, change or
// delete other objects with the agent's rights.
func TestConfusedDeputy(t *testing.T) { runStories(t, deputyStories) }

const (
	foreignRecord = "its record was not written by this agent, or was changed since"
	evilObject    = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: evil}\n"
	victimObject  = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: victim}\ndata: {color: black}\n"
)

var deputyStories = map[string]func(*story){
	"an object that was added to a record is not created": func(s *story) {
		s.installs(db)
		s.changesRecord("db", func(r *helm.Release) { r.Manifest += evilObject })
		s.removesObject("db")
		for range 2 {
			s.run().shows(converged, "db drifted").says("ConfigMap/evil is missing", foreignRecord+"; not corrected").writesNoState()
		}
		s.lacks("evil", "db")
		s.declares(dbRed)
		s.run().shows(converged, "db upgraded")
		s.lacks("evil")
		s.run().shows(converged, "db unchanged").writes("")
	},

	"an object that was added to a record is not patched, and an upgrade does not delete it": func(s *story) {
		s.installs(db)
		s.createsVictim()
		s.changesRecord("db", func(r *helm.Release) { r.Manifest += victimObject })
		s.run().shows(converged, "db drifted").says(foreignRecord)
		s.declares(dbRed)
		s.run().shows(converged, "db upgraded")
		s.victimIsUnchanged()
	},

	"a forged newer revision is not corrected": func(s *story) {
		s.installs(db)
		s.changesRecord("db", func(r *helm.Release) { r.Info.Status = helm.StatusSuperseded })
		s.forges("db", 2, func(r *helm.Release) { r.Info.Status = helm.StatusDeployed; r.Manifest += evilObject })
		s.run().shows(converged, "db drifted").says(foreignRecord)
		s.lacks("evil")
	},

	"a second deployed revision makes the agent leave the release alone, and only this one": func(s *story) {
		s.installs(db, web)
		s.forges("db", 2, func(r *helm.Release) { r.Manifest += evilObject })
		const says = "the revisions 1, 2 are all deployed"
		s.run().shows(releasesFailed, "db refused, web unchanged").says(says, "run `helm rollback db REVISION")
		s.declares("- {name: db, chart: ./chart, installed: false}\n", web)
		s.run().shows(releasesFailed, "db refused, web unchanged").says(says)
		s.declares(web)
		s.run().shows(pruneRefused, "db held, web unchanged").says(says)
		if s.lacks("evil"); !s.hasObject("db") {
			s.t.Error("an object was deleted")
		}
	},

	"a forged record with the agent's labels is not pruned, and destroy does not uninstall it": func(s *story) {
		s.installs(db)
		s.createsVictim()
		s.forges("ghost", 1, func(r *helm.Release) { r.Manifest = victimObject })
		for range 3 {
			s.run().shows(pruneRefused, "db unchanged, ghost held").says(foreignRecord, "declare it again, or uninstall it with Helm")
		}
		s.destroy("--yes").shows(pruneRefused, "db pruned, ghost held").says(foreignRecord + "; uninstall it with Helm")
		s.victimIsUnchanged()
		if !s.hasState() {
			s.t.Error("the state was deleted although a release is left")
		}
	},

	"a record that was changed after its release was marked is not pruned": func(s *story) {
		s.installs(db, web)
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.createsVictim()
		s.changesRecord("web", func(r *helm.Release) { r.Manifest += victimObject })
		s.run().shows(pruneRefused, "db unchanged, web held")
		s.victimIsUnchanged()
		s.has("db 1, web 1")
	},

	"installed: false deletes no foreign objects, and forged hooks do not run": func(s *story) {
		s.installs(db, web)
		s.createsVictim()
		s.changesRecord("web", func(r *helm.Release) {
			r.Manifest += victimObject
			r.Hooks = append(r.Hooks, &helm.Hook{Name: "evil", Kind: "ConfigMap", Path: "evil.yaml", Manifest: evilObject,
				Events: []helm.HookEvent{helm.HookPreDelete}})
		})
		s.declares(db, webOff)
		s.run().shows(converged, "db unchanged, web uninstalled").says("no hooks run: " + foreignRecord)
		s.victimIsUnchanged()
		s.lacks("evil", "web")
		s.has("db 1")
	},

	"correction and pruning do not change an object that now belongs to another release": func(s *story) {
		s.installs(db, web)
		s.patchObject("web", `{"metadata":{"annotations":{"meta.helm.sh/release-name":"other"}},"data":{"color":"black"}}`)
		s.run().shows(converged, "db unchanged, web drifted").says("does not have Helm's annotations of this release")
		s.declares(db)
		s.run().shows(converged, "db unchanged, web marked")
		s.run().shows(converged, "db unchanged, web pruned")
		if !s.hasObject("web") {
			s.t.Error("the other release's object was deleted")
		}
	},

	"the agent does not roll back to a changed revision": func(s *story) {
		s.commits("releases:\n- {name: web, chart: ./greedy, atomic: true}\n" + greedy("{apiVersion: v1, kind: ConfigMap, metadata: {name: web}}"))
		s.run().shows(converged, "web installed")
		s.changesRecord("web", func(r *helm.Release) {
			r.Manifest += evilObject
			r.Hooks = append(r.Hooks, &helm.Hook{Name: "evilhook", Kind: "ConfigMap", Path: "evilhook.yaml",
				Manifest: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: evilhook}\n", Events: []helm.HookEvent{helm.HookPreRollback}})
		})
		s.commits("releases:\n- {name: web, chart: ./greedy, atomic: true}\n" + greedy(impossible))
		s.run().shows(releasesFailed, "web failed").says("could not be rolled back", "revision 1 was changed by another client since this run read it")
		s.lacks("evil", "evilhook")
	},

	"the agent does not roll back to an additional good revision": func(s *story) {
		s.commits("releases:\n- {name: db, chart: ./greedy, atomic: true}\n" + greedy("{apiVersion: v1, kind: ConfigMap, metadata: {name: db}}"))
		s.run().shows(converged, "db installed")
		s.commits("releases:\n- {name: db, chart: ./greedy, atomic: false}\n" + greedy(impossible))
		s.run().shows(releasesFailed, "db failed")
		s.changesRecord("db", func(r *helm.Release) { r.Manifest += evilObject; r.Info.Status = helm.StatusSuperseded })
		s.forges("db", 3, func(r *helm.Release) { r.Info.Status = helm.StatusFailed })
		s.commits("releases:\n- {name: db, chart: ./greedy, atomic: true}\n" + greedy(impossible))
		s.run().shows(releasesFailed, "db failed").says("revision 2 was not written by this agent, or was changed since")
		s.lacks("evil")
	},

	"the agent rolls back to the deployed revision after a failed upgrade": func(s *story) {
		s.commits("releases:\n- {name: web, chart: ./greedy, atomic: true}\n" + greedy("{apiVersion: v1, kind: ConfigMap, metadata: {name: web}}"))
		s.run().shows(converged, "web installed")
		s.commits("releases:\n- {name: web, chart: ./greedy}\n" + greedy(impossible))
		s.run().shows(releasesFailed, "web failed")
		s.run().shows(releasesFailed, "web failed")
		s.commits("releases:\n- {name: web, chart: ./greedy, atomic: true}\n" + greedy(impossible))
		s.run().shows(releasesFailed, "web failed").says("was rolled back to revision 1")
		s.run().shows(releasesFailed, "web failed").says("was rolled back to revision ")
	},

	"values that were written into a record are not reused": func(s *story) {
		const reusing = "- {name: web, chart: ./extra, reuseValues: true}\n" + extraChart
		s.commits("releases:\n" + reusing)
		s.run().shows(converged, "web installed")
		s.run().shows(converged, "web unchanged").writes("")
		s.changesRecord("web", func(r *helm.Release) {
			r.Config = map[string]any{"extra": []any{map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "evil"}}}}
			r.Labels = map[string]string{}
		})
		s.run().shows(releasesFailed, "web refused").says("it reuses the values of the last revision", foreignRecord)
		s.lacks("evil")
		s.commits("releases:\n- {name: web, chart: ./extra}\n" + extraChart)
		s.run().shows(converged, "web adopted")
	},

	"values that are written into a record during the run are not reused": func(s *story) {
		const reusing = "- {name: web, chart: ./extra, reuseValues: true, values: [{own: WHICH}], needs: [db]}\n"
		repositories := s.duringRun(func() {
			s.changesRecord("web", func(r *helm.Release) {
				r.Config = map[string]any{"extra": []any{map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "evil"}}}}
			})
		})
		s.commits("releases:\n" + db + strings.ReplaceAll(reusing, "WHICH", "one") + extraChart)
		s.run().shows(converged, "db installed, web installed")
		s.commits(repositories + "releases:\n" + served + strings.ReplaceAll(reusing, "WHICH", "two") + extraChart)
		s.run().shows(releasesFailed, "db relabelled, web failed").says("revision 1 was changed by another client since this run read it")
		s.lacks("evil")
	},

	"hooks that are written into a record during the run do not run when it is uninstalled": func(s *story) {
		s.installs(db, web)
		repositories := s.duringRun(func() {
			s.changesRecord("web", func(r *helm.Release) {
				r.Hooks = append(r.Hooks, &helm.Hook{Name: "evil", Kind: "ConfigMap", Path: "evil.yaml", Manifest: evilObject, Events: []helm.HookEvent{helm.HookPreDelete}})
			})
		})
		s.commits(repositories + "releases:\n" + served + webOff)
		s.run().shows(releasesFailed, "db relabelled, web failed").says("revision 1 was changed by another client since this run read it")
		s.lacks("evil")
		s.run().says("web", "no hooks run: "+foreignRecord)
		s.lacks("evil", "web")
	},

	"a hook cannot take the agent's CronJob": func(s *story) {
		s.createsCronJob()
		s.commits("releases:\n- {name: web, chart: ./greedy}\n" +
			greedy("{apiVersion: batch/v1, kind: CronJob, metadata: {name: helmfile-agent, annotations: {helm.sh/hook: pre-install}}, "+evilJob))
		s.run().shows(releasesFailed, "web refused").says("CronJob/helmfile-agent is the agent's own")
		s.cronJobIsUnchanged()
	},

	"a chart that calls itself helmfile-agent cannot take the agent's CronJob": func(s *story) {
		s.createsCronJob()
		s.flags = []string{"--agent-release", "helmfile-agent"}
		for _, name := range []string{"web", "helmfile-agent"} {
			s.commits("releases:\n- {name: " + name + ", chart: ./greedy, takeOwnership: true}\n" +
				strings.ReplaceAll(greedy("{apiVersion: batch/v1, kind: CronJob, metadata: {name: helmfile-agent}, "+evilJob), "name: greedy", "name: helmfile-agent"))
			s.run().shows(releasesFailed, name+" refused").says("CronJob/helmfile-agent is the agent's own")
		}
		s.cronJobIsUnchanged()
	},

	"a hook that is also a test cannot write the agent's state": func(s *story) {
		s.installs(db)
		state := s.state()
		s.commits("releases:\n" + db + "- {name: web, chart: ./greedy}\n" +
			greedy(`{apiVersion: v1, kind: ConfigMap, metadata: {name: helmfile-agent-state, annotations: {helm.sh/hook: "test,pre-install"}}, data: {state.json: forged}}`))
		s.run().shows(releasesFailed, "db unchanged, web refused").says("keeps its state or its lock in")
		if diff := cmp.Diff(state, s.state()); diff != "" {
			s.t.Errorf("the state changed: %s", diff)
		}
	},

	"a chart that renders different objects during the installation cannot write the agent's state": func(s *story) {
		s.installs(db)
		s.commits("releases:\n" + dbRed + "- {name: web, chart: ./greedy, takeOwnership: true, needs: [db]}\n" +
			greedy(`{{ if eq (dig "data" "color" "" (lookup "v1" "ConfigMap" .Release.Namespace "db")) "red" }}{apiVersion: v1, kind: ConfigMap, metadata: {name: helmfile-agent-state}, data: {state.json: forged}}{{ end }}`))
		s.run().shows(releasesFailed, "db upgraded, web failed").says("keeps its state or its lock in")
		if marks := s.state(); len(marks.Namespaces) == 0 {
			s.t.Errorf("the state was overwritten: %+v", marks)
		}
	},

	"a List cannot contain the agent's state": func(s *story) {
		s.installs(db)
		s.commits("releases:\n" + db + "- {name: web, chart: ./greedy, takeOwnership: true}\n" +
			greedy("{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: helmfile-agent-state}}]}"))
		s.run().shows(releasesFailed, "db unchanged, web refused").says("keeps its state or its lock in")
	},

	"a release that contains the state or the lock of the agent is refused": func(s *story) {
		s.installs(db)
		state := s.state()
		for _, object := range []string{
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: helmfile-agent-state}}",
			"{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: helmfile-agent}}",
		} {
			s.commits("releases:\n" + db + "- {name: web, chart: ./greedy, takeOwnership: true}\n" + greedy(object))
			s.run().shows(releasesFailed, "db unchanged, web refused").says("is what instance helmfile-agent keeps its state or its lock in")
		}
		s.has("db 1")
		if diff := cmp.Diff(state, s.state()); diff != "" {
			s.t.Errorf("the state changed: %s", diff)
		}
	},

	"a release that would take the agent's CronJob is refused": func(s *story) {
		s.installs(db)
		s.commits("releases:\n" + db + "- {name: web, chart: ./greedy, takeOwnership: true}\n" +
			greedy("{apiVersion: batch/v1, kind: CronJob, metadata: {name: helmfile-agent}}"))
		s.run().shows(releasesFailed, "db unchanged, web refused").says("CronJob/helmfile-agent is the agent's own")
		s.has("db 1")
	},

	"a chart cannot look up the agent's Secrets, tokens or Helm's records": func(s *story) {
		s.installs(db)
		for _, name := range []string{"keys", "plain"} {
			secret := &core.Secret{ObjectMeta: meta.ObjectMeta{Name: name}, Data: map[string][]byte{"key": []byte("value of " + name)}}
			must(client(s.t).CoreV1().Secrets(s.namespace).Create(s.t.Context(), secret, meta.CreateOptions{}))(s.t)
		}
		s.commits("releases:\n" + db + "- {name: web, chart: ./greedy}\n" + greedy(lookingUp))
		s.flags = []string{"--own-secrets", "keys"}
		s.run().shows(converged, "db unchanged, web installed")
		found := must(s.configMaps().Get(s.t.Context(), "found", meta.GetOptions{}))(s.t).Data
		want := map[string]string{"keys": "{}", "record": "{}", "plain": "true", "all": "plain "}
		if diff := cmp.Diff(want, found); diff != "" {
			s.t.Error(diff)
		}
	},

	"a release of the real helm that renders the same is corrected": func(s *story) {
		s.helm("install", "db", s.chartDir())
		s.declares(db)
		s.run().shows(converged, "db adopted")
		s.removesObject("db")
		s.run().shows(converged, "db correct")
		if !s.hasObject("db") {
			s.t.Error("the object is still missing")
		}
	},

	"without its state the agent renders once, and saves the records that are equal": func(s *story) {
		s.installs(db)
		s.deletesState()
		s.removesObject("db")
		s.run().shows(converged, "db correct").writes("create configmaps, create configmaps, create events")
		s.run().shows(converged, "db unchanged")
		s.run().shows(converged, "db unchanged").writes("")
	},
}

// lookingUp is a template that shows the result of lookup.
const lookingUp = `apiVersion: v1
kind: ConfigMap
metadata: {name: found}
data:
  keys: {{ lookup "v1" "Secret" .Release.Namespace "keys" | toJson | quote }}
  record: {{ lookup "v1" "Secret" .Release.Namespace "sh.helm.release.v1.db.v1" | toJson | quote }}
  plain: {{ lookup "v1" "Secret" .Release.Namespace "plain" | empty | not | quote }}
  all: "{{ range (lookup "v1" "Secret" .Release.Namespace "").items }}{{ .metadata.name }} {{ end }}"
`

// greedy returns a chart with one object.
func greedy(object string) string {
	return "-- greedy/Chart.yaml --\n{apiVersion: v2, name: greedy, version: 1.0.0}\n-- greedy/templates/object.yaml --\n" + object + "\n"
}

// impossible is an object that the API server refuses to create.
const impossible = "{apiVersion: v1, kind: Service, metadata: {name: impossible}, spec: {ports: [{port: 99999}]}}"

// extraChart has the objects in its values.
const extraChart = "-- extra/Chart.yaml --\n{apiVersion: v2, name: extra, version: 1.0.0}\n-- extra/values.yaml --\nextra: []\n" +
	"-- extra/templates/extra.yaml --\n{{ range .Values.extra }}\n---\n{{ toYaml . }}\n{{ end }}\n" +
	"-- extra/templates/own.yaml --\n{apiVersion: v1, kind: ConfigMap, metadata: {name: own}, data: {own: {{ .Values.own | quote }}}}\n"

// evilJob is the spec of a CronJob.
const evilJob = "spec: {schedule: '0 0 1 1 *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: evil, image: evil}]}}}}}}"

// createsCronJob creates the CronJob that runs the agent.
func (s *story) createsCronJob() {
	s.t.Helper()
	pod := core.PodTemplateSpec{Spec: core.PodSpec{RestartPolicy: core.RestartPolicyNever, Containers: []core.Container{{Name: "agent", Image: "agent"}}}}
	job := &batch.CronJob{ObjectMeta: meta.ObjectMeta{Name: "helmfile-agent"}, Spec: batch.CronJobSpec{
		Schedule: "0 0 1 1 *", JobTemplate: batch.JobTemplateSpec{Spec: batch.JobSpec{Template: pod}},
	}}
	must(client(s.t).BatchV1().CronJobs(s.namespace).Create(s.t.Context(), job, meta.CreateOptions{}))(s.t)
}

func (s *story) cronJobIsUnchanged() {
	s.t.Helper()
	job := must(client(s.t).BatchV1().CronJobs(s.namespace).Get(s.t.Context(), "helmfile-agent", meta.GetOptions{}))(s.t)
	if image := job.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Image; image != "agent" || len(job.Annotations) > 0 {
		s.t.Errorf("the CronJob was changed: %s, %v", image, job.Annotations)
	}
}

// records returns Helm's storage, with which a user who may write Secrets can change records.
func (s *story) records() *storage.Storage {
	return storage.Init(driver.NewSecrets(client(s.t).CoreV1().Secrets(s.namespace)))
}

// changesRecord changes the newest record of a release.
func (s *story) changesRecord(name string, change func(*helm.Release)) {
	s.t.Helper()
	record := must(s.records().Last(name))(s.t)
	change(record)
	check(s.t, s.records().Update(record))
}

// forges creates a record like that of db, including the labels.
func (s *story) forges(name string, revision int, change func(*helm.Release)) {
	s.t.Helper()
	record := must(s.records().Get("db", 1))(s.t)
	record.Name, record.Version = name, revision
	change(record)
	check(s.t, s.records().Create(record))
}

func (s *story) removesObject(name string) {
	s.t.Helper()
	check(s.t, s.configMaps().Delete(s.t.Context(), name, meta.DeleteOptions{}))
}

func (s *story) lacks(names ...string) {
	s.t.Helper()
	for _, name := range names {
		if s.hasObject(name) {
			s.t.Errorf("the agent made %s, or left it", name)
		}
	}
}

// createsVictim creates an object that belongs to no release.
func (s *story) createsVictim() {
	s.t.Helper()
	victim := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "victim"}, Data: map[string]string{"color": "white"}}
	must(s.configMaps().Create(s.t.Context(), victim, meta.CreateOptions{}))(s.t)
}

func (s *story) victimIsUnchanged() {
	s.t.Helper()
	if victim := must(s.configMaps().Get(s.t.Context(), "victim", meta.GetOptions{}))(s.t); victim.Data["color"] != "white" {
		s.t.Errorf("the victim was changed: %v", victim.Data)
	}
}
