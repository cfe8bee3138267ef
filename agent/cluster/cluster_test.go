package cluster

import (
	"reflect"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestAReaderLeadsToNoWriter: whoever holds a Reader, as diff does, has no method that answers with something that writes,
// and nothing of it can be reached from other rooms but its methods.
func TestAReaderLeadsToNoWriter(t *testing.T) {
	reader := reflect.TypeFor[*Reader]()
	for i := range reader.NumMethod() {
		method := reader.Method(i)
		for j := range method.Type.NumOut() {
			if out := method.Type.Out(j); out == reflect.TypeFor[*Writer]() || out == reflect.TypeFor[*Connection]() {
				t.Errorf("Reader.%s answers with %s", method.Name, out)
			}
		}
	}
	for i := range reader.Elem().NumField() {
		if field := reader.Elem().Field(i); field.IsExported() || field.Anonymous {
			t.Errorf("the field Reader.%s can be reached from outside", field.Name)
		}
	}
}

func TestWhereAChartComesFrom(t *testing.T) {
	for want, chart := range map[string]release.Chart{
		"charts.example.com":   {Ref: "web", Repository: &release.Repository{URL: "https://charts.example.com/stable"}},
		"registry.example.com": {Ref: "oci://registry.example.com/team/web"},
		"oci.example.com:5000": {Ref: "team/web", Repository: &release.Repository{URL: "oci.example.com:5000/charts", OCI: true}},
		"files.example.com":    {Ref: "https://files.example.com/web-1.0.0.tgz"},
		"":                     {Path: "/checkout/charts/web"},
	} {
		if got := hostOf(chart); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
