package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"

	"github.com/helmfile-agent/helmfile-agent/agent/child"
)

// behaviour is a file in the workspace that names the hostile renderer to run.
const behaviour = "behaviour"

// TestMain makes the test binary a renderer if it has the renderer's name, as the agent's binary does.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != Name {
		os.Exit(m.Run())
	}
	if name, err := os.ReadFile(behaviour); err == nil {
		hostiles[string(name)]()
		os.Exit(0)
	}
	os.Exit(Main(os.Stdin, os.Stdout))
}

// hostiles are renderers that a chart has taken over.
var hostiles = map[string]func(){
	"exit":    func() { os.Exit(7) },
	"kill":    func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) },
	"panic":   func() { panic("s3cret in a panic") },
	"garbage": func() { fmt.Println("no CBOR, but a text that goes on") },
	"endless output": func() {
		_ = child.NewWriter(os.Stdout, child.Trusted).Send(answer{Files: []File{{Data: make([]byte, 2*maxAnswer)}}})
	},
	"endless errors": func() {
		for range 1 << 10 {
			fmt.Fprint(os.Stderr, strings.Repeat("x", 1<<20))
		}
	},
	"a place outside": func() {
		_ = child.NewReader(os.Stdin, child.Trusted).Next(&settings{})
		_ = child.NewWriter(os.Stdout, bounds).Send(answer{Files: []File{{Name: []byte("../../etc/passwd")}}})
		time.Sleep(time.Hour)
	},
	"nothing": func() { time.Sleep(time.Hour) },
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pool makes a Pool whose lookups find one ConfigMap.
func pool(t *testing.T, processes int) *Pool {
	t.Helper()
	p := NewPool(Options{
		Workspace: t.TempDir(), Processes: processes, Sandbox: "required", Memory: 256 << 20, Log: slog.New(slog.DiscardHandler),
		Cluster: func() (http.Handler, error) { return http.HandlerFunc(answerLookup), nil },
	})
	t.Cleanup(p.Close)
	return p
}

func answerLookup(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/api/v1":
		_, _ = io.WriteString(w, `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"configmaps","kind":"ConfigMap","namespaced":true,"verbs":["get"]}]}`)
	case "/api/v1/namespaces/shop/configmaps/live":
		_, _ = io.WriteString(w, `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"live"},"data":{"k":"found"}}`)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
	}
}

// charts maps the paths of the files of a chart to their contents. If there is no Chart.yaml, load adds one.
type charts map[string]string

func (c charts) load(t *testing.T) *chart.Chart {
	t.Helper()
	files := []*loader.BufferedFile{}
	if c["Chart.yaml"] == "" {
		files = append(files, &loader.BufferedFile{Name: "Chart.yaml", Data: []byte("apiVersion: v2\nname: web\nversion: 1.0.0\n")})
	}
	for name, content := range c {
		files = append(files, &loader.BufferedFile{Name: name, Data: []byte(content)})
	}
	loaded, err := loader.LoadFiles(files)
	check(t, err)
	return loaded
}

// processed is a request for a chart and values after Helm has processed the dependencies.
func processed(t *testing.T, c charts, values map[string]any) Request {
	t.Helper()
	r := Request{
		Chart: c.load(t), Values: values, Capabilities: chartutil.DefaultCapabilities,
		Release: chartutil.ReleaseOptions{Name: "r", Namespace: "shop", Revision: 3, IsUpgrade: true},
	}
	check(t, chartutil.ProcessDependenciesWithMerge(r.Chart, r.Values))
	return r
}

// renderedHere is the result of Helm's engine in this process.
func renderedHere(t *testing.T, r Request) (map[string]string, error) {
	t.Helper()
	values, err := chartutil.ToRenderValuesWithSchemaValidation(r.Chart, r.Values, r.Release, r.Capabilities, r.SkipSchemaValidation)
	if err != nil {
		return nil, err
	}
	return engine.Render(r.Chart, values)
}

func TestTheSameAsHelm(t *testing.T) {
	subchart := charts{
		"charts/sub/Chart.yaml":          "apiVersion: v2\nname: sub\nversion: 1.2.3\nappVersion: '9'\n",
		"charts/sub/values.yaml":         "a: 1\nb: {c: [1, 2.5]}\nglobal: {g: 1}\nexports: {data: {imported: 1}}\n",
		"charts/sub/templates/x.yaml":    "{{ .Chart.Name }} {{ .Chart.IsRoot }} {{ .Values.a }} {{ .Values.global.g }} {{ .Template.Name }} {{ .Template.BasePath }}",
		"charts/sub/templates/NOTES.txt": "notes of sub",
	}
	with := func(more charts) charts {
		all := charts{}
		for _, c := range []charts{subchart, more} {
			for name, content := range c {
				all[name] = content
			}
		}
		return all
	}
	p := pool(t, 2)
	for name, test := range map[string]struct {
		files  charts
		values map[string]any
	}{
		"values of every type": {charts{"templates/a": "{{ .Values | toYaml }} {{ range .Values }}{{ kindOf . }} {{ . }}\n{{ end }}", "values.yaml": "i: 1\nf: 1.0\nbig: 10000000\nn: null\nt: true\ns: '1'\nl: [1, a]\nm: {}\n"},
			map[string]any{"int": int64(7), "float": 7.0, "large": 1e6, "list": []any{int64(1), 1.5, nil}, "n": "set", "t": nil}},
		"a subchart":             {with(nil), map[string]any{"sub": map[string]any{"a": "x"}, "global": map[string]any{"g": int64(2)}}},
		"a condition that fails": {with(charts{"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{name: sub, version: 1.2.3, repository: '', condition: sub.enabled}]\n"}), map[string]any{"sub": map[string]any{"enabled": false}}},
		"aliases and imports": {with(charts{"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: sub, version: 1.2.3, repository: '', alias: one, import-values: [data]}\n- {name: sub, version: 1.2.3, repository: '', alias: two}\n",
			"templates/a": "{{ .Values.imported }} {{ .Subcharts.one.Chart.Name }} {{ .Subcharts.two.Values.b.c }}"}), map[string]any{"two": map[string]any{"a": "2"}}},
		"a library": {charts{"charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n", "charts/lib/templates/_l.tpl": `{{ define "l" }}from {{ .Chart.Name }}{{ end }}`,
			"charts/lib/templates/never.yaml": "{{ fail `never` }}", "templates/a": `{{ include "l" . }}`}, nil},
		"braces":            {charts{"templates/a": "{{ \"{{\" }} {{ `{{- }} {{{ {{/* {{\"` }}{{ \"{{\" }}", "templates/b": "{ {{ `{` }}{{ `{` }}", "templates/NOTES.txt": "{{ `{{ .Values }}` }}\n\n"}, nil},
		"no value":          {charts{"templates/a": "{{ .Values.none }}{{ .Values.none.at }}x"}, map[string]any{"none": map[string]any{}}},
		"other scripts":     {charts{"templates/a": "grüße 日本 {{ `☃` }} {{ .Values.s | quote }}"}, map[string]any{"s": "ü\u0000\u2028"}},
		"bytes":             {charts{"templates/a": "{{ .Files.Get `bin` }}{{ `{{` }}{{ (.Files.Glob `*`).AsSecrets }}", "bin": "\x00\xff\xfe{{\x80"}, nil},
		"nothing":           {charts{"templates/a": "", "templates/b": "  \n", "templates/_c": "x", "templates/d": "{{- /* no text */ -}}"}, nil},
		"tpl":               {charts{"templates/a": "{{ tpl .Values.t . }}{{ tpl `{{ define \"x\" }}{{ .Release.Name }}{{ end }}{{ include \"x\" . }}` . }}"}, map[string]any{"t": "{{ .Release.Revision }} {{ .Release.IsUpgrade }}"}},
		"capabilities":      {charts{"templates/a": "{{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Minor }} {{ .Capabilities.APIVersions.Has `v1` }} {{ .Capabilities.APIVersions.Has `x/v1` }} {{ .Capabilities.HelmVersion }}"}, nil},
		"the chart itself":  {charts{"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\nannotations: {a: b}\nkeywords: [k]\nmaintainers: [{name: m}]\n", "templates/a": "{{ .Chart | toYaml }}"}, nil},
		"crds and hooks":    {charts{"crds/c.yaml": "kind: {{ .never }}", "templates/h": "metadata: {annotations: {'helm.sh/hook': test}}", "templates/deep/er/x": "{{ .Template.Name }}"}, nil},
		"a schema":          {charts{"values.schema.json": `{"properties":{"a":{"type":"integer"}}}`, "templates/a": "x"}, map[string]any{"a": int64(1)}},
		"a wrong value":     {charts{"values.schema.json": `{"properties":{"a":{"type":"integer"}}}`, "templates/a": "x"}, map[string]any{"a": "one"}},
		"a wrong template":  {charts{"templates/a": "{{ if }}"}, nil},
		"a failure":         {charts{"templates/a": "{{ fail `because` }}"}, nil},
		"a required value":  {charts{"templates/a": "{{ required `needed` .Values.a }}"}, nil},
		"a wrong reference": {charts{"templates/a": "{{ .Values.a.b.c }}"}, nil},
		"a panic":           {charts{"templates/a": "{{ index .Values.l 7 }}{{ slice `x` 7 }}"}, map[string]any{"l": []any{}}},
		"endless recursion": {charts{"templates/a": `{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			values := func() map[string]any { return chartutil.CoalesceTables(map[string]any{}, test.values) }
			want, wantErr := renderedHere(t, processed(t, test.files, values()))
			r := processed(t, test.files, values())
			before := fmt.Sprint(treeOf(r.Chart))
			files, err := p.Render(t.Context(), r)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Fatalf("got the error\n%v\nwant\n%v", err, wantErr)
			}
			if wantErr != nil {
				return
			}
			restore, err := Substitute(r.Chart, files)
			check(t, err)
			r.SkipSchemaValidation = true
			got, err := renderedHere(t, r)
			check(t, err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if restore(); fmt.Sprint(treeOf(r.Chart)) != before {
				t.Error("the chart has changed")
			}
		})
	}
}

// one is a chart with one template.
func one(t *testing.T, template string) Request {
	t.Helper()
	return processed(t, charts{"templates/a": template}, map[string]any{})
}

// TestLookup: a template finds live objects through the agent.
func TestLookup(t *testing.T) {
	p := pool(t, 1)
	files, err := p.Render(t.Context(), one(t, `{{ (lookup "v1" "ConfigMap" "shop" "live").data.k }}{{ lookup "v1" "ConfigMap" "shop" "other" }}`))
	check(t, err)
	if got := string(files[0].Data); got != "foundmap[]" {
		t.Errorf("got %q", got)
	}
}

// TestLimits: only the release with a template that is too large or endless fails, with a clear message. The next chart is rendered.
func TestLimits(t *testing.T) {
	for name, test := range map[string]struct {
		template string
		want     []string
	}{
		"one large text":         {`{{ repeat 2000000000 "x" }}`, []string{"render chart web", "more than 256 MiB of memory", "loaderMemory"}},
		"many texts":             {`{{ range until 100000 }}{{ repeat 1000000 "abc" }}{{ end }}`, []string{"more than 256 MiB of memory"}},
		"a list without an end":  {`{{ range untilStep 0 99999999999 1 }}{{ . }}{{ end }}`, []string{"more than 256 MiB of memory"}},
		"a text above the bound": {`{{ repeat 20000000 "#" }}`, []string{"more than 16 MiB"}},
		"YAML that grows":        {`a: [{{ repeat 4000000 "[]," }}]`, []string{"more than 256 MiB of memory"}},
		"no end": {`{{ define "a" }}{{ range until 100000 }}{{ $x := sha256sum "x" }}{{ end }}{{ end }}{{ range until 100000 }}{{ $y := include "a" . }}{{ end }}`,
			[]string{"render chart web", "too slow"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pool(t, 1)
			limit := 30 * time.Second
			if name == "no end" {
				limit = time.Second
			}
			ctx, cancel := context.WithTimeoutCause(t.Context(), limit, errors.New("too slow"))
			defer cancel()
			if _, err := p.Render(t.Context(), one(t, "before")); err != nil {
				t.Error(err)
			}
			_, err := p.Render(ctx, one(t, test.template))
			for _, word := range test.want {
				if !strings.Contains(fmt.Sprint(err), word) {
					t.Errorf("no %q in %v", word, err)
				}
			}
			files, err := p.Render(t.Context(), one(t, "next"))
			check(t, err)
			if string(files[0].Data) != "next" {
				t.Errorf("got %q", files[0].Data)
			}
		})
	}
}

// TestOthersGoOn: releases that are rendered at the same time do not fail.
func TestOthersGoOn(t *testing.T) {
	p := pool(t, 3)
	var all sync.WaitGroup
	for i := range 9 {
		all.Go(func() {
			template := `{{ repeat 100 "x" }}`
			if i%3 == 0 {
				template = `{{ repeat 2000000000 "x" }}`
			}
			if _, err := p.Render(t.Context(), one(t, template)); (err != nil) != (i%3 == 0) {
				t.Errorf("release %d: %v", i, err)
			}
		})
	}
	all.Wait()
}

// TestTheAgentSurvivesItsRenderer: for every hostile renderer, Render returns an error in time, and the process is ended.
func TestTheAgentSurvivesItsRenderer(t *testing.T) {
	for name := range hostiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pool(t, 1)
			dir := filepath.Join(p.o.Workspace, "renderer")
			check(t, os.Mkdir(dir, 0o700))
			check(t, os.WriteFile(filepath.Join(dir, behaviour), []byte(name), 0o600))
			ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, errors.New("too slow"))
			defer cancel()
			r := one(t, "x")
			files, err := p.Render(ctx, r)
			if err == nil {
				_, err = Substitute(r.Chart, files)
			}
			if err == nil || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v", err)
			}
			check(t, os.Remove(filepath.Join(dir, behaviour)))
			p.Close()
			for _, w := range p.idle {
				t.Errorf("a process is left: %v", w)
			}
		})
	}
}

// TestNoProcessStartsBeforeTheFirstChart: a run that renders nothing starts no process.
func TestNoProcessStartsBeforeTheFirstChart(t *testing.T) {
	p := pool(t, 2)
	if left, err := os.ReadDir(p.o.Workspace); err != nil || len(left) > 0 || len(p.services) > 0 {
		t.Errorf("the workspace contains %v, %v", left, err)
	}
	for range 3 {
		if _, err := p.Render(t.Context(), one(t, "x")); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.idle) != 1 {
		t.Errorf("%d processes, want 1, because the charts came one after another", len(p.idle))
	}
}

// TestNothingOfTheAgentReachesTheRenderer: a hostile renderer finds no variables of the agent, and resolves no names.
func TestNothingOfTheAgentReachesTheRenderer(t *testing.T) {
	t.Setenv("CANARY", "canary-variable")
	p := pool(t, 1)
	files, err := p.Render(t.Context(), one(t, `{{ getHostByName "localhost" }}`))
	check(t, err)
	if len(files[0].Data) != 0 {
		t.Errorf("a name was resolved without enableDNS: %q", files[0].Data)
	}
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.idle[0].Pid()))
	check(t, err)
	if strings.Contains(string(environment), "canary") {
		t.Errorf("its environment is %q", environment)
	}
}

// TestFilesOutsideAreRefused: the kernel refuses files that Helm's own functions would open, here a document that a schema refers to.
func TestFilesOutsideAreRefused(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "schema.json")
	check(t, os.WriteFile(outside, []byte("true"), 0o644))
	r := processed(t, charts{"values.schema.json": `{"$ref":"file://` + outside + `"}`, "templates/a": "x"}, map[string]any{})
	if _, err := renderedHere(t, r); err != nil {
		t.Fatalf("this process cannot read the document either: %v", err)
	}
	if _, err := pool(t, 1).Render(t.Context(), r); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("got %v", err)
	}
}

// TestADeadProcessFailsNoRelease: the pool does not use an idle process that was killed.
func TestADeadProcessFailsNoRelease(t *testing.T) {
	p := pool(t, 1)
	for range 2 {
		if _, err := p.Render(t.Context(), one(t, "x")); err != nil {
			t.Fatal(err)
		}
		idle := p.idle[0]
		idle.Kill()
		for !idle.Ended() {
			time.Sleep(time.Millisecond)
		}
	}
}
