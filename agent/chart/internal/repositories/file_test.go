package repositories

import (
	"path/filepath"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestRepositoriesFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "repositories.yaml")
	want := release.Repository{Name: "private", URL: "oci://registry/charts", OCI: true, PlainHTTP: true, Username: "u", Password: "s3cret"}
	if err := Write(file, []release.Repository{want}); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, %v", got, err)
	}
}
