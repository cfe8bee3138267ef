package render

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/storage/driver"
	"k8s.io/client-go/kubernetes/fake"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	helm "helm.sh/helm/v3/pkg/release"
	"k8s.io/client-go/rest"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/render"
)

// renderer is another process that answers with what the test says.
type renderer func(context.Context, render.Request) ([]render.File, error)

func (r renderer) Render(ctx context.Context, request render.Request) ([]render.File, error) {
	return r(ctx, request)
}

const template = `{{ fail "no template is executed in the agent" }}`

// rendering is a Renderer whose charts are rendered so, and a release of a local chart.
func rendering(t *testing.T, by renderer) (*Renderer, release.Desired) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"Chart.yaml":                     "apiVersion: v2\nname: web\nversion: 1.0.0\nkubeVersion: '>= 1.0.0'\n",
		"values.yaml":                    "default: 1\n",
		"templates/a.yaml":               template,
		"charts/sub/Chart.yaml":          "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
		"charts/sub/templates/sub.yaml":  template,
		"charts/sub/templates/NOTES.txt": template,
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	store, err := chart.NewStore(t.TempDir(), egress.Policy{}, log)
	if err == nil {
		err = store.Confine(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := &kube.Connection{Config: &rest.Config{}, Client: fake.NewClientset(), Options: kube.Options{Log: log}}
	c.SetCapabilities(chartutil.DefaultCapabilities)
	want := release.Desired{Key: release.Key{Namespace: "shop", Name: "web"}, Chart: release.Chart{Name: "web", Path: dir}, Values: map[string]any{"new": "x"}}
	return New(c, history.New(c), store, by, nil), want
}

func TestHelmGetsWhatWasRendered(t *testing.T) {
	r, want := rendering(t, func(_ context.Context, request render.Request) ([]render.File, error) {
		if o := request.Release; !o.IsInstall || o.IsUpgrade || o.Revision != 1 || o.Name != "web" || o.Namespace != "shop" {
			t.Errorf("the release is %+v", o)
		}
		if request.Capabilities != chartutil.DefaultCapabilities || string(request.Chart.Templates[0].Data) != template {
			t.Errorf("the request is %+v", request)
		}
		return []render.File{
			{Name: []byte("web/templates/a.yaml"), Data: []byte("kind: A\nof: '{{ .Values }}'\n")},
			{Name: []byte("web/charts/sub/templates/sub.yaml"), Data: []byte("kind: B\n")},
			{Name: []byte("web/charts/sub/templates/NOTES.txt"), Data: []byte("notes {{")},
		}, nil
	})
	want.Options.SubNotes = true
	made, err := r.dryRun(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"# Source: web/templates/a.yaml\nkind: A\nof: '{{ .Values }}'\n", "# Source: web/charts/sub/templates/sub.yaml\nkind: B\n"} {
		if !strings.Contains(made.Manifest, text) {
			t.Errorf("no %q in\n%s", text, made.Manifest)
		}
	}
	if made.Info.Notes != "notes {{" {
		t.Errorf("the notes are %q", made.Info.Notes)
	}
	for _, c := range []*helmchart.Chart{made.Chart, made.Chart.Dependencies()[0]} {
		if len(c.Templates) == 0 || string(c.Templates[0].Data) != template {
			t.Errorf("chart %s has not its own templates: %v", c.Name(), c.Templates)
		}
	}
}

func TestAnUpgradeIsRenderedWithTheLastRevisionsValues(t *testing.T) {
	for name, test := range map[string]struct {
		options       release.Options
		values, chart string
	}{
		"reset":            {release.Options{}, "map[new:x]", "map[default:1]"},
		"reuse":            {release.Options{ReuseValues: true}, "map[new:x old:y]", "map[default:0 old:y]"},
		"reset then reuse": {release.Options{ResetThenReuseValues: true}, "map[new:x old:y]", "map[default:1]"},
	} {
		t.Run(name, func(t *testing.T) {
			r, want := rendering(t, func(_ context.Context, request render.Request) ([]render.File, error) {
				if o := request.Release; o.IsInstall || !o.IsUpgrade || o.Revision != 5 {
					t.Errorf("the release is %+v", o)
				}
				delete(request.Values, "sub")
				if got := fmt.Sprint(request.Values); got != test.values {
					t.Errorf("the values are %s, want %s", got, test.values)
				}
				values := request.Chart.Values
				delete(values, "sub")
				delete(values, "global")
				if got := fmt.Sprint(values); got != test.chart {
					t.Errorf("the chart's values are %s, want %s", got, test.chart)
				}
				return nil, nil
			})
			last := &helm.Release{Name: "web", Namespace: "shop", Version: 4, Config: map[string]any{"old": "y"},
				Info: &helm.Info{Status: helm.StatusDeployed}, Chart: &helmchart.Chart{Metadata: &helmchart.Metadata{Name: "web"}, Values: map[string]any{"default": 0}}}
			records := driver.NewSecrets(r.kube.Client.CoreV1().Secrets("shop"))
			if err := errors.Join(records.Create("sh.helm.release.v1.web.v4", last), r.history.ObserveReadable(t.Context(), []string{"shop"})); err != nil {
				t.Fatal(err)
			}
			want.Options = test.options
			if _, err := r.dryRun(t.Context(), want); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhyNothingWasRendered(t *testing.T) {
	r, want := rendering(t, func(context.Context, render.Request) ([]render.File, error) {
		return nil, errors.New("in Helm's words")
	})
	if _, err := r.dryRun(t.Context(), want); err == nil || err.Error() != "in Helm's words" {
		t.Errorf("got %v", err)
	}
	r, want = rendering(t, func(ctx context.Context, _ render.Request) ([]render.File, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	})
	want.Options.Timeout = 50 * time.Millisecond
	if _, err := r.dryRun(t.Context(), want); err == nil || !strings.Contains(err.Error(), "did not end within") {
		t.Errorf("got %v", err)
	}
	r, want = rendering(t, func(context.Context, render.Request) ([]render.File, error) {
		return []render.File{{Name: []byte("other/templates/a")}}, nil
	})
	if _, err := r.dryRun(t.Context(), want); err == nil || !strings.Contains(err.Error(), "outside of the chart") {
		t.Errorf("got %v", err)
	}
}

func TestOneReleaseMayNotTakeTheWholeRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	if got := renderTimeout(ctx, release.Desired{}); got > 2*time.Minute || got < time.Minute {
		t.Errorf("it may take %s of 8 minutes", got)
	}
	if got := renderTimeout(ctx, release.Desired{Options: release.Options{Timeout: time.Second}}); got != time.Second {
		t.Errorf("it may take %s, and its own timeout is a second", got)
	}
}
