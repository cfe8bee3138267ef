// Package templates has the templates of a chart executed in another process, although Helm runs its engine in this one.
//
// It may import release, agent/render and kube.
package templates

import (
	"context"
	"fmt"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/render"
)

// Renderer executes the templates of charts in another process.
type Renderer interface {
	Render(context.Context, render.Request) ([]render.File, error)
}

// Templates has the templates of one revision executed in another process. Helm asks for a REST configuration just before its engine
// renders, when dependencies, values and capabilities are known. At that moment the chart's templates are replaced by their results,
// so that the engine in this process only copies texts.
type Templates struct {
	genericclioptions.RESTClientGetter

	// Chart and Values are what Helm must be given.
	Chart  *chart.Chart
	Values map[string]any
	// Limit is the time that the templates may take.
	Limit time.Duration
	// Newest returns the number of the newest revision; only upgrades need it.
	Newest func() int

	ctx      context.Context
	config   *action.Configuration
	renderer Renderer
	request  render.Request
	done     bool
	restore  func()
}

// New puts the templates into the configuration, as its RESTClientGetter. RestoreChart ends it.
func New(ctx context.Context, c *kube.Connection, renderer Renderer, config *action.Configuration, want release.Desired, loaded *chart.Chart, values map[string]any, limit time.Duration) *Templates {
	t := &Templates{
		RESTClientGetter: c.Getter(ctx, want.Namespace),
		Chart:            loaded, Values: values, Limit: limit,
		ctx: ctx, config: config, renderer: renderer, restore: func() {},
		request: render.Request{
			Chart: loaded, Values: values, EnableDNS: want.Options.EnableDNS, SkipSchemaValidation: want.Options.SkipSchemaValidation,
			Release: chartutil.ReleaseOptions{Name: want.Name, Namespace: want.Namespace},
		},
	}
	config.RESTClientGetter = t
	return t
}

// Install prepares the installation of a first revision. The other process checks the schemas.
func (t *Templates) Install(install *action.Install) {
	t.request.Release.Revision, t.request.Release.IsInstall = 1, true
	install.SkipSchemaValidation = true
}

// Upgrade prepares an upgrade. The other process checks the schemas.
func (t *Templates) Upgrade(upgrade *action.Upgrade) {
	t.request.Release.IsUpgrade = true
	upgrade.SkipSchemaValidation = true
}

// ToRESTConfig renders the first time that it is called.
func (t *Templates) ToRESTConfig() (*rest.Config, error) {
	if !t.done {
		t.done = true
		if err := t.render(); err != nil {
			return nil, err
		}
	}
	return t.RESTClientGetter.ToRESTConfig()
}

func (t *Templates) render() error {
	t.request.Capabilities = t.config.Capabilities
	if t.request.Release.IsUpgrade {
		t.request.Release.Revision = t.Newest() + 1
	}
	slow := fmt.Errorf("its templates did not end within %s: look for one that is endless, or raise the release's timeout", t.Limit.Round(100*time.Millisecond))
	ctx, cancel := context.WithTimeoutCause(t.ctx, t.Limit, slow)
	defer cancel()
	files, err := t.renderer.Render(ctx, t.request)
	if err != nil {
		return err
	}
	restore, err := render.Substitute(t.Chart, files)
	if err != nil {
		return fmt.Errorf("render chart %s: %w", t.Chart.Name(), err)
	}
	t.restore = restore
	return nil
}

// RestoreChart gives the chart its own templates back, so that Helm records them.
func (t *Templates) RestoreChart() {
	t.restore()
	t.restore = func() {} // Helm may read the chart from now on
}
