package dependencies

import (
	"os"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
)

func TestAnArchiveOfARegistryMustBeTheChartOfItsReference(t *testing.T) {
	dir := t.TempDir()
	data, err := os.ReadFile(charttest.Package(t, dir, "worm", "1.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := ociLocation("oci://registry.example/charts/web:1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	charttest.ExpectError(t, want.Expected.Check(data), `"worm"`, "instead of web 1.0.0")
	want, err = ociLocation("oci://registry.example/charts/worm:1.0.0_build.5")
	if err != nil || want.Expected.Version != "1.0.0+build.5" {
		t.Error(want, err)
	}
}
