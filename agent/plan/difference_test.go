package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

type values = map[string]any

func TestDifference(t *testing.T) {
	one := release.Manifest{deployment(1)}
	two := release.Manifest{deployment(2)}
	web := func(version string) release.ChartVersion { return release.ChartVersion{Name: "web", Version: version} }

	for name, test := range map[string]struct {
		haveChart, nextChart   release.ChartVersion
		haveValues, nextValues values
		have, next             release.Manifest
		want                   string
	}{
		"nothing": {web("1.2.3"), web("1.2.3"), nil, nil, one, one, ""},

		// Only objects count.
		"a chart version that changes no object":   {web("1.2.3"), web("1.3.0"), nil, nil, one, one, ""},
		"another chart of the same objects":        {web("1.2.3"), release.ChartVersion{Name: "shop"}, nil, nil, one, one, ""},
		"values that change no object":             {web("1.2.3"), web("1.2.3"), values{"a": 1}, values{"a": 2}, one, one, ""},
		"no objects before nor after":              {web("1.2.3"), web("1.3.0"), values{"a": 1}, nil, nil, release.Manifest{}, ""},
		"an order that is not the canonical order": {web("1"), web("1"), nil, nil, objects("A/a", "B/b"), objects("B/b", "A/a"), ""},

		// The reason is the most direct cause.
		"a chart version":             {web("1.2.3"), web("1.3.0"), nil, nil, one, two, "chart 1.2.3 → 1.3.0"},
		"an older chart version":      {web("1.3.0"), web("1.2.3"), nil, nil, one, two, "chart 1.3.0 → 1.2.3"},
		"another chart":               {web("1.2.3"), release.ChartVersion{Name: "shop", Version: "0.1.0"}, nil, nil, one, two, "chart web 1.2.3 → shop 0.1.0"},
		"another chart, same version": {web("1.2.3"), release.ChartVersion{Name: "shop", Version: "1.2.3"}, nil, nil, one, two, "chart web 1.2.3 → shop 1.2.3"},
		"a value":                     {web("1"), web("1"), values{"replicaCount": 1}, values{"replicaCount": 2}, one, two, "values changed: replicaCount"},
		"chart and value":             {web("1.2.3"), web("1.3.0"), values{"a": 1}, values{"a": 2}, one, two, "chart 1.2.3 → 1.3.0; values changed: a"},
		"templates alone":             {web("1"), web("1"), values{"a": 1}, values{"a": 1}, one, two, "templates changed: Deployment/web"},
		"only the app's version": {release.ChartVersion{Name: "web", Version: "1", AppVersion: "5"}, release.ChartVersion{Name: "web", Version: "1", AppVersion: "6"},
			nil, nil, one, two, "templates changed: Deployment/web"},

		// Objects.
		"an added object":        {web("1"), web("1"), nil, nil, objects("A/a"), objects("A/a", "B/b"), "templates changed: B/b"},
		"a removed object":       {web("1"), web("1"), nil, nil, objects("A/a", "B/b"), objects("B/b"), "templates changed: A/a"},
		"the first object":       {web("1"), web("1"), nil, nil, nil, objects("A/a"), "templates changed: A/a"},
		"a renamed object":       {web("1"), web("1"), nil, nil, objects("A/a"), objects("A/b"), "templates changed: A/a, A/b"},
		"four objects":           {web("1"), web("1"), nil, nil, nil, objects("A/a", "B/b", "C/c", "D/d"), "templates changed: A/a, B/b, C/c, D/d"},
		"more than four objects": {web("1"), web("1"), nil, nil, nil, objects("A/a", "B/b", "C/c", "D/d", "E/e", "F/f"), "templates changed: A/a, B/b, C/c, D/d and 2 more"},
		"a hook that differs":    {web("1"), web("1"), nil, nil, hook("echo a"), hook("echo b"), "templates changed: Job/migrate"},
		"a hook that becomes an ordinary object": {web("1"), web("1"), nil, nil, hook("echo a"),
			release.Manifest{object("batch/v1", "Job/migrate", values{"run": "echo a"})}, "templates changed: Job/migrate"},
		"an object with another API version is listed once": {web("1"), web("1"), nil, nil,
			release.Manifest{object("apps/v1beta1", "Deployment/web", nil)}, release.Manifest{object("apps/v1", "Deployment/web", nil)},
			"templates changed: Deployment/web"},
		"an object in another namespace": {web("1"), web("1"), nil, nil, one, inNamespace("other", deployment(1)),
			"templates changed: Deployment/web, Deployment/other/web"},
	} {
		t.Run(name, func(t *testing.T) {
			got := difference(
				release.Observed{Chart: test.haveChart, Values: test.haveValues, Manifest: test.have},
				release.Rendered{Chart: test.nextChart, Values: test.nextValues, Manifest: test.next})
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestChangedPaths(t *testing.T) {
	for name, test := range map[string]struct {
		have, next values
		want       []string
	}{
		"no values equal empty values":                  {nil, values{}, nil},
		"numbers of different types but the same value": {values{"replicas": 3.0}, values{"replicas": 3}, nil},
		"the same in nested values":                     {values{"a": values{"b": []any{1.0}}}, values{"a": values{"b": []any{int64(1)}}}, nil},
		"typed and untyped maps and lists are equal":    {values{"a": values{"b": []any{"c"}}}, values{"a": map[string][]string{"b": {"c"}}}, nil},
		"a number and its text differ":                  {values{"tag": 1}, values{"tag": "1"}, []string{"tag"}},
		"an added value":                                {nil, values{"a": 1}, []string{"a"}},
		"a removed value":                               {values{"a": 1}, nil, []string{"a"}},
		"a nested value":                                {values{"image": values{"tag": "1", "name": "web"}}, values{"image": values{"tag": "2", "name": "web"}}, []string{"image.tag"}},
		"a list is one value":                           {values{"hosts": []any{"a", "b"}}, values{"hosts": []any{"b", "a"}}, []string{"hosts"}},
		"a map that becomes a list":                     {values{"a": values{"b": 1}}, values{"a": []any{1}}, []string{"a"}},
		"a map that appears":                            {values{}, values{"a": values{"b": 1, "c": 2}}, []string{"a"}},
		"a map that becomes empty":                      {values{"a": values{"b": 1}}, values{"a": values{}}, []string{"a.b"}},
		"an added null":                                 {values{}, values{"probe": nil}, []string{"probe"}},
		"a removed null":                                {values{"a": values{"probe": nil}}, values{"a": values{}}, []string{"a.probe"}},
		"all paths are listed, in order":                {values{"b": 1, "a": values{"z": 1, "y": 1}}, values{"c": 1}, []string{"a", "b", "c"}},
		"a value that JSON cannot hold":                 {values{}, values{"f": func() {}}, []string{"f"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, changedPaths(test.have, test.next)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.want, changedPaths(test.next, test.have)); diff != "" {
				t.Errorf("the other way round: %s", diff)
			}
		})
	}
}

func TestAReasonContainsNoValue(t *testing.T) {
	for _, changed := range []any{"hunter2", []any{"hunter2"}, values{"to": "hunter2"}} {
		got := difference(
			release.Observed{Values: values{"password": "hunter1"}, Manifest: release.Manifest{deployment(1)}},
			release.Rendered{Values: values{"password": changed}, Manifest: release.Manifest{deployment(2)}})
		if want := "values changed: password"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// objects have no content; each name is "Kind/name".
func objects(names ...string) release.Manifest {
	var m release.Manifest
	for _, name := range names {
		m = append(m, object("v1", name, nil))
	}
	return m
}

func hook(command string) release.Manifest {
	job := object("batch/v1", "Job/migrate", values{"run": command})
	job.Hook = true
	return release.Manifest{job}
}

func inNamespace(namespace string, o release.Object) release.Manifest {
	o.Namespace = namespace
	return release.Manifest{o}
}
