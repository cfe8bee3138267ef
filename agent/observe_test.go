package agent

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestDriftCandidates(t *testing.T) {
	key := func(name string) release.Key { return release.Key{Namespace: "shop", Name: name} }
	want := []release.Desired{
		{Key: key("deployed"), State: release.Installed},
		{Key: key("failed"), State: release.Installed},
		{Key: key("exempt"), State: release.Installed, Labels: map[string]string{release.DriftLabel: string(release.IgnoreDrift)}},
		{Key: key("absent"), State: release.Absent},
		{Key: key("disabled"), State: release.Disabled},
		{Key: key("new"), State: release.Installed},
	}
	have := []release.Observed{
		{Key: key("deployed"), Status: "deployed"},
		{Key: key("failed"), Status: "failed"},
		{Key: key("exempt"), Status: "deployed"},
		{Key: key("absent"), Status: "deployed"},
		{Key: key("disabled"), Status: "deployed"},
		{Key: key("orphan"), Status: "deployed"},
	}
	var got []string
	for _, candidate := range driftCandidates(want, have) {
		got = append(got, candidate.Name)
	}
	if diff := cmp.Diff([]string{"deployed"}, got); diff != "" {
		t.Error(diff)
	}
	if len(have) != 6 || have[1].Name != "failed" {
		t.Error("the observed releases were changed")
	}
}
