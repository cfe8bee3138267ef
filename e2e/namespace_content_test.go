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

// look returns Helm's records and the ConfigMaps of a namespace, as a text that does not depend on the name of the namespace or the path
// of a checkout.
func look(t *testing.T, namespace string) string {
	t.Helper()
	content := map[string]any{}
	for _, r := range revisions(t, namespace) {
		content[fmt.Sprintf("%s revision %d", r.Name, r.Version)] = recordContent(r)
	}
	for _, c := range configMaps(t, namespace) {
		content["ConfigMap "+c.Name] = []any{c.Labels, c.Annotations, c.Data}
	}
	text, err := yaml.Marshal(content)
	check(t, err)
	return strings.ReplaceAll(chartPlace.ReplaceAllString(string(text), "CHECKOUT/charts/"), namespace, "NAMESPACE")
}

// chartPlace matches the path of a local chart that chartify used.
var chartPlace = regexp.MustCompile(`/\S*/charts/`)

// agentDomain is the prefix of the agent's own labels.
var agentDomain, _, _ = strings.Cut(release.InstanceLabel, "/")

// recordContent returns a record without times, and without the labels of Helm and the agent.
func recordContent(r *helm.Release) map[string]any {
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

// list returns the newest revision of each release, such as "web 2 deployed tiny-1.0.0".
func list(t *testing.T, namespace string) string {
	t.Helper()
	newest := map[string]string{}
	for _, r := range revisions(t, namespace) {
		newest[r.Name] = fmt.Sprintf("%s %d %s %s-%s", r.Name, r.Version, r.Info.Status, r.Chart.Name(), r.Chart.Metadata.Version)
	}
	return strings.Join(slices.Sorted(maps.Values(newest)), ", ")
}

// revisions returns all revisions in Helm's storage, older ones first.
func revisions(t *testing.T, namespace string) []*helm.Release {
	t.Helper()
	secrets := driver.NewSecrets(client(t).CoreV1().Secrets(namespace))
	all, err := secrets.List(func(*helm.Release) bool { return true })
	check(t, err)
	slices.SortFunc(all, func(a, b *helm.Release) int { return cmp.Compare(a.Version, b.Version) })
	return all
}

// configMaps returns the ConfigMaps of a namespace, except those of Kubernetes and of the agent.
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

// client returns the administrator's client.
func client(t *testing.T) kubernetes.Interface {
	t.Helper()
	c, err := kubernetes.NewForConfig(control.Config())
	check(t, err)
	return c
}
