package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// look is everything that Helm remembers of a namespace and the ConfigMaps that are in it, as text that does not depend on
// the namespace's name or on the place of a checkout.
func look(t *testing.T, namespace string) string {
	t.Helper()
	seen := map[string]any{}
	for _, r := range revisions(t, namespace) {
		seen[fmt.Sprintf("%s revision %d", r.Name, r.Version)] = remembered(r)
	}
	for _, c := range configMaps(t, namespace) {
		seen["ConfigMap "+c.Name] = []any{c.Labels, c.Annotations, c.Data}
	}
	text, err := yaml.Marshal(seen)
	check(t, err)
	return strings.ReplaceAll(chartPlace.ReplaceAllString(string(text), "CHECKOUT/charts/"), namespace, "NAMESPACE")
}

// chartPlace is where a chart was that chartify found among the files.
var chartPlace = regexp.MustCompile(`/\S*/charts/`)

// agentDomain begins the names of the agent's own labels.
var agentDomain, _, _ = strings.Cut(release.InstanceLabel, "/")

// remembered leaves out times, and the labels of Helm and of the agent's own.
func remembered(r *helm.Release) map[string]any {
	labels := maps.Clone(r.Labels)
	maps.DeleteFunc(labels, func(name, _ string) bool {
		return strings.HasPrefix(name, agentDomain) || slices.Contains(driver.GetSystemLabels(), name)
	})
	hooks := make([]helm.Hook, len(r.Hooks))
	for i, hook := range r.Hooks {
		hooks[i] = *hook
		hooks[i].LastRun = helm.HookExecution{Phase: hook.LastRun.Phase}
	}
	return map[string]any{
		"status":      r.Info.Status,
		"description": r.Info.Description,
		"notes":       r.Info.Notes,
		"chart":       r.Chart.Metadata,
		"defaults":    r.Chart.Values,
		"values":      r.Config,
		"labels":      labels,
		"hooks":       hooks,
		"manifest":    r.Manifest,
	}
}

// list is the newest revision of each release, like "web 2 deployed tiny-1.0.0".
func list(t *testing.T, namespace string) string {
	t.Helper()
	newest := map[string]string{}
	for _, r := range revisions(t, namespace) {
		newest[r.Name] = fmt.Sprintf("%s %d %s %s-%s", r.Name, r.Version, r.Info.Status, r.Chart.Name(), r.Chart.Metadata.Version)
	}
	return strings.Join(slices.Sorted(maps.Values(newest)), ", ")
}

// revisions are all that Helm's storage holds, older ones first.
func revisions(t *testing.T, namespace string) []*helm.Release {
	t.Helper()
	secrets := driver.NewSecrets(client(t).CoreV1().Secrets(namespace))
	all, err := secrets.List(func(*helm.Release) bool { return true })
	check(t, err)
	slices.SortFunc(all, func(a, b *helm.Release) int { return cmp.Compare(a.Version, b.Version) })
	return all
}

// configMaps are those in a namespace, but for what Kubernetes and the agent keep in one for themselves.
func configMaps(t *testing.T, namespace string) []core.ConfigMap {
	t.Helper()
	all, err := client(t).CoreV1().ConfigMaps(namespace).List(t.Context(), meta.ListOptions{})
	check(t, err)
	return slices.DeleteFunc(all.Items, func(c core.ConfigMap) bool { return c.Name == "kube-root-ca.crt" || c.Name == stateName })
}

func createSettings(t *testing.T, namespace, color string) {
	t.Helper()
	settings := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "settings"}, Data: map[string]string{"color": color}}
	_, err := client(t).CoreV1().ConfigMaps(namespace).Create(t.Context(), settings, meta.CreateOptions{})
	check(t, err)
}

// client is the administrator's.
func client(t *testing.T) kubernetes.Interface {
	t.Helper()
	c, err := kubernetes.NewForConfig(control.Config())
	check(t, err)
	return c
}
