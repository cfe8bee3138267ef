package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
)

// matrix lists the choices that change the rendered objects. The test renders all combinations.
var matrix = [][]string{
	{
		"config: {repo: 'https://git.example.com/shop/config'}",
		"{config: {repo: 'https://git.example.com/shop/config', timeout: 1h30m}, git: {existingSecret: git, caKey: ca.crt}, sops: {existingSecret: keys}}",
		"{config: {repo: 'git@git.example.com:shop/config', instance: own}, git: {existingSecret: git}, registry: {existingSecret: registry}}",
	},
	{
		"rbac: {mode: role}",
		"rbac: {mode: bind}",
		"rbac: {mode: bind, roleRef: {kind: Role, name: own}}",
		"rbac: {mode: none}",
	},
	{
		"rbac: {namespaces: []}",
		"rbac: {namespaces: [shop, blue, green], kinds: [configmaps, roles.rbac.authorization.k8s.io, rolebindings.rbac.authorization.k8s.io]}",
		"rbac: {kinds: null, rules: [{apiGroups: [example.com], resources: [kinds, kinds/status], verbs: [get, create], resourceNames: [one]}]}",
	},
	{"serviceAccount: {create: true}", "serviceAccount: {create: false, name: theirs}"},
	{"{}", "{networkPolicy: {enabled: true}, dashboard: {enabled: true}, prometheusRule: {enabled: true, labels: {release: prometheus}}}"},
	{
		"{}",
		`{command: diff, podSecurityContext: {runAsUser: null, runAsGroup: null, fsGroup: null}, securityContext: null, resources: null, nodeSelector: {disk: ssd},
		  tolerations: [{operator: Exists}], affinity: {nodeAffinity: {}}, topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}],
		  priorityClassName: low, imagePullSecrets: [{name: pull}], initContainers: [{name: first, image: busybox}], extraArgs: [--log-level=debug],
		  extraEnv: [{name: A, value: b}], extraEnvFrom: [{secretRef: {name: env}}], extraVolumes: [{name: more, emptyDir: {}}], extraVolumeMounts: [{name: more, mountPath: /more}],
		  job: {podFailurePolicy: null, restartPolicy: OnFailure, backoffLimit: 2, ttlSecondsAfterFinished: 0, managedBy: kueue.x-k8s.io/multikueue, annotations: {a: b}, labels: {a: b}},
		  cronjob: {timeZone: Etc/UTC, suspend: true, startingDeadlineSeconds: null, annotations: {a: b}, labels: {a: b}}, podAnnotations: {a: b}, podLabels: {a: b}}`,
	},
	{
		"{}",
		`{fullnameOverride: a-name-that-is-much-longer-than-what-a-cronjob-in-kubernetes-may-have, commonLabels: {team: shop}, keep: [CronJob, ConfigMap, Role, RoleBinding, ServiceAccount],
		  extraObjects: ["{apiVersion: v1, kind: Secret, metadata: {name: '{{ .Release.Name }}-extra'}}", {apiVersion: v1, kind: Service, metadata: {name: extra}}]}`,
	},
}

// TestMatrix renders every combination, decodes it as Go types of Kubernetes, and checks every object.
func TestMatrix(t *testing.T) {
	c, count := loaded(t), 0
	each(matrix, nil, func(layers []string) {
		count++
		rendered, err := Render(c, shop, layered(t, layers...))
		if err != nil {
			t.Fatalf("%v with:\n%s", err, strings.Join(layers, "\n"))
		}
		found := objects(t, rendered)
		for key, object := range found {
			if problem := problemOf(object); problem != "" {
				t.Fatalf("%s %s, with:\n%s", key, problem, strings.Join(layers, "\n"))
			}
		}
		if problem := problemOfAll(found); problem != "" {
			t.Fatalf("%s, with:\n%s", problem, strings.Join(layers, "\n"))
		}
	})
	want := 1
	for _, choices := range matrix {
		want *= len(choices)
	}
	if count != want || count < 500 {
		t.Errorf("%d combinations were rendered, want %d", count, want)
	}
}

func each(choices [][]string, chosen []string, do func([]string)) {
	if len(choices) == 0 {
		do(chosen)
		return
	}
	for _, choice := range choices[0] {
		each(choices[1:], append(slices.Clone(chosen), choice), do)
	}
}

var namespaced = []string{"ConfigMap", "CronJob", "NetworkPolicy", "Pod", "PrometheusRule", "Role", "RoleBinding", "Secret", "Service", "ServiceAccount"}

// problemOf returns what is wrong with an object, or nothing.
func problemOf(o runtime.Object) string {
	kind, about := o.GetObjectKind().GroupVersionKind().Kind, o.(meta.Object)
	switch {
	case !slices.Contains(namespaced, kind):
		return "is of a kind that this chart must not have"
	case len(validation.IsDNS1123Subdomain(about.GetName())) > 0:
		return "has a name that Kubernetes refuses"
	case kind == "CronJob" && len(about.GetName()) > 52:
		return "has a name that is too long for a CronJob"
	}
	for key, value := range about.GetLabels() {
		if len(validation.IsQualifiedName(key))+len(validation.IsValidLabelValue(value)) > 0 {
			return fmt.Sprintf("has the label %s=%s, which Kubernetes refuses", key, value)
		}
	}
	if role, is := o.(*rbac.Role); is {
		return problemOfRules(role.Rules)
	}
	return ""
}

func problemOfRules(rules []rbac.PolicyRule) string {
	for _, rule := range rules {
		if slices.Contains(slices.Concat(rule.Verbs, rule.APIGroups, rule.Resources), "*") || len(rule.NonResourceURLs) > 0 {
			return fmt.Sprintf("has the rule %v", rule)
		}
	}
	return ""
}

// problemOfAll returns what is wrong between objects: a reference to a missing object, or a job with too short a deadline.
func problemOfAll(found map[string]runtime.Object) string {
	for _, key := range slices.Sorted(maps.Keys(found)) {
		switch o := found[key].(type) {
		case *batch.CronJob:
			if account := podOf(o).ServiceAccountName; account != "theirs" && found["ServiceAccount shop/"+account] == nil {
				return key + " runs as an account that is not there"
			}
			for _, volume := range podOf(o).Volumes {
				if volume.ConfigMap != nil && found["ConfigMap shop/"+volume.ConfigMap.Name] == nil {
					return key + " mounts a ConfigMap that is not there"
				}
			}
		case *rbac.RoleBinding:
			if o.RoleRef.Kind == "Role" && o.RoleRef.Name != "own" && found["Role "+o.Namespace+"/"+o.RoleRef.Name] == nil {
				return key + " binds a Role that is not there"
			}
			if len(o.Subjects) != 1 || o.Subjects[0].Namespace != "shop" {
				return key + " has a subject outside of the agent's namespace"
			}
		}
	}
	return ""
}
