package agent

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/desired"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestLifecycleChanges(t *testing.T) {
	key := func(name string) release.Key { return release.Key{Namespace: "shop", Name: name} }
	want := []release.Desired{
		{Key: key("a"), State: release.Installed},
		{Key: key("b"), State: release.Absent},
		{Key: key("c"), State: release.Disabled},
		{Key: key("d"), State: release.Unselected},
	}
	rendered := []release.Rendered{{Key: key("a"), Manifest: manifest("a"), CRDs: manifest("crd")}, {}, {}, {}}
	got := lifecycleChanges(want, rendered)
	if diff := cmp.Diff([]cluster.Change{
		{Key: key("a"), Action: cluster.Lifecycle, After: manifest("a"), CRDs: manifest("crd")},
		{Key: key("b"), Action: cluster.Uninstall},
		{Key: key("c"), Action: cluster.NoAction},
		{Key: key("d"), Action: cluster.NoAction},
	}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEveryReleaseThatCannotBeRenderedIsReported(t *testing.T) {
	s := testAgent(config.Config{}).newSession(config.Access)
	s.desired = desired.Set{Releases: []release.Desired{
		{Key: release.Key{Namespace: "shop", Name: "good"}},
		{Key: release.Key{Namespace: "shop", Name: "refused"}, Broken: errors.New("a hook")},
		{Key: release.Key{Namespace: "shop", Name: "failed"}},
	}}
	s.rendered = []release.Rendered{{}, {}, {Err: errors.New("a template")}}
	err := s.reportUnrendered()
	if exit.Of(err) != exit.ReleasesFailed || !strings.HasSuffix(err.Error(), ":\n  shop/refused: a hook\n  shop/failed: a template") {
		t.Errorf("got %s: %v", exit.Of(err), err)
	}
	if diff := cmp.Diff([]string{
		"shop/refused cannot be rendered, so the rights that it needs are unknown: a hook",
		"shop/failed cannot be rendered, so the rights that it needs are unknown: a template",
	}, s.report.Warnings); diff != "" {
		t.Error(diff)
	}
}

func TestNoErrorIfEveryReleaseIsRendered(t *testing.T) {
	s := testAgent(config.Config{}).newSession(config.Access)
	s.desired.Releases, s.rendered = []release.Desired{{}}, []release.Rendered{{}}
	if err := s.reportUnrendered(); err != nil || s.report.Warnings != nil {
		t.Errorf("got %v, %q", err, s.report.Warnings)
	}
}
