package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// driftOf is the report of one drifted object.
func driftOf(r Report, drift release.Drift) string {
	observed := have(1, "web", "1.0.0")
	observed.Drifts = []release.Drift{drift}
	return r.driftedFields(apply.Outcome{Step: plan.Step{Key: shop("web"), Verb: plan.Drifted, Have: observed}})
}

func TestDriftedFields(t *testing.T) {
	key := func(kind string) release.ObjectKey {
		return release.ObjectKey{APIVersion: "v1", Kind: kind, Name: "web"}
	}
	since := time.Date(2026, 11, 20, 20, 15, 0, 0, time.FixedZone("", 3600))
	for name, c := range map[string]struct {
		drift release.Drift
		want  string
	}{
		"a missing object": {release.Drift{ObjectKey: key("Service"), Missing: true}, "  Service/web is missing\n"},
		"a changed field, with writer and time in UTC": {release.Drift{ObjectKey: key("Deployment"), Fields: []release.Field{
			{Path: "/spec/replicas", Want: int64(2), Live: int64(7), Manager: "kubectl-scale", Since: since}}},
			"  Deployment/web\n    /spec/replicas: 7, should be 2 (by kubectl-scale, 2026-11-20T19:15:00Z)\n"},
		"a changed field without a known writer": {release.Drift{ObjectKey: key("ConfigMap"), Fields: []release.Field{{Path: "/data/a", Want: "x", Live: "<y>"}}},
			"  ConfigMap/web\n    /data/a: \"<y>\", should be \"x\"\n"},
		"a removed map": {release.Drift{ObjectKey: key("ConfigMap"), Fields: []release.Field{
			{Path: "/data", Want: map[string]any{"a": []any{true, nil}}}}},
			"  ConfigMap/web\n    /data: absent, should be {\"a\":[true,null]}\n"},
		"only labels of a Secret are shown": {release.Drift{ObjectKey: key("Secret"), Fields: []release.Field{
			{Path: "/data/password", Want: "aHVudGVyMg==", Live: "b3RoZXI="},
			{Path: "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration", Want: "hunter2"},
			{Path: "/metadata/labels/team", Want: "a", Live: "b"},
		}}, "  Secret/web\n    /data/password: ********, should be ********\n" +
			"    /metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration: absent, should be ********\n" +
			"    /metadata/labels/team: \"b\", should be \"a\"\n"},
		"control characters in paths and names": {release.Drift{ObjectKey: key("ConfigMap"), Fields: []release.Field{{Path: "/data/a\n\x1b[2J", Live: "x", Manager: "m\u202e", Since: since}}},
			"  ConfigMap/web\n    /data/a [2J: \"x\", should be absent (by m, 2026-11-20T19:15:00Z)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, driftOf(Report{}, c.drift)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALongValueIsMaskedBeforeItIsCut(t *testing.T) {
	mask := strings.NewReplacer("hunter2", "********").Replace
	for length := range 200 {
		drift := release.Drift{ObjectKey: release.ObjectKey{Kind: "ConfigMap", Name: "web"},
			Fields: []release.Field{{Path: "/data/a", Want: strings.Repeat("x", length) + "hunter2" + strings.Repeat("y", 500)}}}
		got := driftOf(Report{Err: errors.New("any")}.Masked(mask), drift)
		if strings.Contains(got, "hunt") || len(got) > 250 {
			t.Fatalf("length %d: %s", length, got)
		}
	}
}

func TestTheDiffShowsCorrectedAndUncorrectedObjects(t *testing.T) {
	r := diffReport(t)
	text := string(written(t, func(out *bytes.Buffer) error { return r.WriteDiff(out, Style{}) }))
	for _, want := range []string{"  ConfigMap/edited is missing\n", "  Deployment/edited\n", "  Secret/edited (not corrected)\n", "  Secret/free\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}
