package rbac

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

var web = release.Key{Namespace: "shop", Name: "web"}

const clusterScoped = "cluster"

// knownKinds are the kinds that the cluster of these tests has, each with its resource and, if it is cluster-scoped, a note of that.
var knownKinds = map[string][2]string{
	"v1 ConfigMap":             {"configmaps"},
	"v1 Namespace":             {"namespaces", clusterScoped},
	"v1 Pod":                   {"pods"},
	"v1 ReplicationController": {"replicationcontrollers"},
	"apps/v1 Deployment":       {"deployments"},
	"apps/v1 ReplicaSet":       {"replicasets"},
	"batch/v1 Job":             {"jobs"},
	"apiextensions.k8s.io/v1 " + kube.CRDKind: {"customresourcedefinitions", clusterScoped},
}

func scopeOf(object release.Object, namespace string) (kube.ResourceScope, bool) {
	known, ok := knownKinds[object.APIVersion+" "+object.Kind]
	if !ok {
		return kube.ResourceScope{}, false
	}
	gv, _ := schema.ParseGroupVersion(object.APIVersion)
	at := kube.ResourceScope{GroupVersionResource: gv.WithResource(known[0])}
	if known[1] != clusterScoped {
		at.Namespace = cmp.Or(object.Namespace, namespace)
	}
	return at, true
}

func object(version, kind, name string) release.Object {
	return release.Object{
		ObjectKey: release.ObjectKey{APIVersion: version, Kind: kind, Name: name},
		Content:   map[string]any{"metadata": map[string]any{"name": name}},
	}
}

func configMap(name string) release.Object { return object("v1", "ConfigMap", name) }

func deployment(name string) release.Object { return object("apps/v1", "Deployment", name) }

func crd() release.Object {
	defined := object("apiextensions.k8s.io/v1", kube.CRDKind, "backups.example.com")
	defined.Content["spec"] = map[string]any{
		"group":    "example.com",
		"scope":    "Namespaced",
		"names":    map[string]any{"kind": "Backup", "plural": "backups"},
		"versions": []any{map[string]any{"name": "v1beta1"}, map[string]any{"name": "v1"}},
	}
	return defined
}

// changed is the object with other content.
func changed(of release.Object) release.Object {
	of.Content = maps.Clone(of.Content)
	of.Content["changed"] = true
	return of
}

// annotated is the object with pairs of an annotation and its value.
func annotated(of release.Object, pairs ...string) release.Object {
	annotations := map[string]any{}
	for pair := range slices.Chunk(pairs, 2) {
		annotations[pair[0]] = pair[1]
	}
	of.Content = maps.Clone(of.Content)
	of.Content["metadata"] = map[string]any{"name": of.Name, "annotations": annotations}
	return of
}

func withKeep(of release.Object) release.Object {
	return annotated(of, "helm.sh/resource-policy", "keep")
}

func hook(of release.Object, events string, deletePolicy ...string) release.Object {
	pairs := []string{"helm.sh/hook", events}
	for _, policy := range deletePolicy {
		pairs = append(pairs, "helm.sh/hook-delete-policy", policy)
	}
	of = annotated(of, pairs...)
	of.Hook = true
	return of
}

// linesOf shows rights as one line for each object, such as "get create deployments.apps/web in shop".
func linesOf(rights []right) []string {
	verbs := map[right][]string{}
	for _, one := range rights {
		to := one
		to.verb = ""
		verbs[to] = append(verbs[to], one.verb)
	}
	var lines []string
	for to, may := range verbs {
		line := strings.Join(inOrder(may), " ") + " " + to.kind()
		if to.name != "" {
			line += "/" + to.name
		}
		if to.namespace != "" {
			line += " in " + to.namespace
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// sorted makes a list of expected lines independent of the order in which a test names them.
func sorted(lines []string) []string {
	return slices.Sorted(slices.Values(lines))
}
