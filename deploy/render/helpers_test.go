package render

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

var shop = Release{Name: "shop-agent", Namespace: "shop"}

const given = "config: {repo: 'https://git.example.com/shop/config'}\n"

func loaded(t testing.TB) *chart.Chart {
	t.Helper()
	c, err := Chart(root)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render renders the chart with values in YAML. Later values override earlier ones.
func render(t testing.TB, layers ...string) (Rendered, error) {
	t.Helper()
	return Render(loaded(t), shop, layered(t, layers...))
}

func layered(t testing.TB, layers ...string) map[string]any {
	t.Helper()
	values := map[string]any{}
	for _, layer := range layers {
		var more map[string]any
		if err := yaml.UnmarshalStrict([]byte(layer), &more); err != nil {
			t.Fatalf("%v in:\n%s", err, layer)
		}
		overlay(values, more)
	}
	return values
}

func overlay(below, above map[string]any) {
	for key, value := range above {
		was, wasMap := below[key].(map[string]any)
		is, isMap := value.(map[string]any)
		if wasMap && isMap {
			overlay(was, is)
			continue
		}
		below[key] = value
	}
}

// prometheusRule has the fields of the operator's CRD, because Kubernetes has no Go type for this kind.
type prometheusRule struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            struct {
		Groups []struct {
			Name     string `json:"name"`
			Interval string `json:"interval,omitempty"`
			Rules    []struct {
				Record      string            `json:"record,omitempty"`
				Alert       string            `json:"alert,omitempty"`
				Expr        string            `json:"expr"`
				For         string            `json:"for,omitempty"`
				Keep        string            `json:"keep_firing_for,omitempty"`
				Labels      map[string]string `json:"labels,omitempty"`
				Annotations map[string]string `json:"annotations,omitempty"`
			} `json:"rules"`
		} `json:"groups"`
	} `json:"spec"`
}

func (p *prometheusRule) DeepCopyObject() runtime.Object { copied := *p; return &copied }

var strict = serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// decode decodes a document into the Go type of its kind. An unknown field is an error.
func decode(document string) (runtime.Object, error) {
	if strings.Contains(document, "kind: PrometheusRule\n") {
		rule := &prometheusRule{}
		return rule, yaml.UnmarshalStrict([]byte(document), rule)
	}
	decoded, _, err := strict.Decode([]byte(document), nil, nil)
	return decoded, err
}

// objects returns the rendered objects by kind, namespace and name.
func objects(t testing.TB, r Rendered) map[string]runtime.Object {
	t.Helper()
	found := map[string]runtime.Object{}
	for _, document := range r.Documents {
		decoded, err := decode(document)
		if err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
		about := decoded.(meta.Object)
		key := decoded.GetObjectKind().GroupVersionKind().Kind + " " + about.GetNamespace() + "/" + about.GetName()
		if found[key] != nil {
			t.Errorf("%s is rendered twice", key)
		}
		found[key] = decoded
	}
	return found
}

func must(t testing.TB, layers ...string) map[string]runtime.Object {
	t.Helper()
	rendered, err := render(t, layers...)
	if err != nil {
		t.Fatal(err)
	}
	return objects(t, rendered)
}

// find returns the only object of a type. Two objects of the type are an error.
func find[T runtime.Object](t testing.TB, all map[string]runtime.Object) (found T) {
	t.Helper()
	n := 0
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if object, is := all[key].(T); is {
			found, n = object, n+1
		}
	}
	if n != 1 {
		t.Fatalf("there are %d objects of type %T among %q", n, found, slices.Sorted(maps.Keys(all)))
	}
	return found
}

// cronJob returns the CronJob of the chart with these values.
func cronJob(t testing.TB, layers ...string) *batch.CronJob {
	t.Helper()
	return find[*batch.CronJob](t, must(t, append([]string{given}, layers...)...))
}

func podOf(job *batch.CronJob) core.PodSpec { return job.Spec.JobTemplate.Spec.Template.Spec }

// settings returns the agent's configuration file.
func settings(t testing.TB, all map[string]runtime.Object) map[string]any {
	t.Helper()
	for _, object := range all {
		if file, is := object.(*core.ConfigMap); is && file.Data["agent.yaml"] != "" {
			return layered(t, file.Data["agent.yaml"])
		}
	}
	t.Fatal("there is no ConfigMap with agent.yaml")
	return nil
}
