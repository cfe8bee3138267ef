package chart

import (
	"path/filepath"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestLoadRefusesASchemaThatOpensADocument(t *testing.T) {
	dir := charttest.WriteChart(t, t.TempDir(), "web", "1.0.0", "")
	file := filepath.Join(charttest.WriteChart(t, filepath.Join(dir, "charts"), "sub", "1.0.0", ""), "values.schema.json")
	charttest.Write(t, file, `{"properties":{"a":{"$ref":"file:///etc/passwd"}}}`)
	_, err := newStore(t).Load(t.Context(), release.Chart{Path: dir})
	charttest.ExpectError(t, err, "load chart "+dir, "values.schema.json of chart sub", "file:///etc/passwd")

	const inside = `{"$ref":"#/$defs/a","$defs":{"a":{"type":"object"}}}`
	charttest.Write(t, file, inside)
	c, err := newStore(t).Load(t.Context(), release.Chart{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(c.Dependencies()[0].Schema); got != inside {
		t.Errorf("got %s, want %s", got, inside)
	}
}
