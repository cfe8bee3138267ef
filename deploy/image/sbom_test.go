package main

import (
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/xeipuuv/gojsonschema"
)

func TestTheBillListsWhatTheAgentIsMadeOf(t *testing.T) {
	bill, _ := agentBill(t)
	versions := map[string]string{}
	for _, c := range *bill.Components {
		if versions[c.Name] != "" {
			t.Errorf("%s is listed twice", c.Name)
		}
		versions[c.Name] = c.Version
	}
	for _, module := range []string{"helm.sh/helm/v3", "github.com/helmfile/helmfile", "github.com/go-git/go-git/v5"} {
		want := submatch(t, "../../go.mod", `(?m)^\t`+module+` (\S+)`)
		if versions[module] != want {
			t.Errorf("%s: the bill says %q, go.mod %s", module, versions[module], want)
		}
	}
	if versions["stdlib"] == "" {
		t.Error("Go's own library is missing")
	}
	if bill.Metadata.Component.Version != release.Version {
		t.Errorf("the agent's own version is %s", bill.Metadata.Component.Version)
	}
}

// helmfile replaces k8s.io/api; a scanner must see what was compiled, and a reader that it was replaced.
func TestTheBillNotesAReplacedModule(t *testing.T) {
	bill, _ := agentBill(t)
	want := submatch(t, "../../go.mod", `k8s\.io/api => k8s\.io/api (\S+)`)
	for _, c := range *bill.Components {
		if c.Name != "k8s.io/api" {
			continue
		}
		if c.Version != want || c.PackageURL != "pkg:golang/k8s.io/api@"+want {
			t.Errorf("%s %s, want %s", c.Version, c.PackageURL, want)
		}
		if c.Pedigree == nil || !strings.HasPrefix(c.Pedigree.Notes, "replaces k8s.io/api v") {
			t.Errorf("pedigree: %+v", c.Pedigree)
		}
	}
}

func TestTheBillIsValidCycloneDX(t *testing.T) {
	_, content := agentBill(t)
	result, err := cycloneDXSchema(t).Validate(gojsonschema.NewBytesLoader(content))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range result.Errors() {
		t.Error(e)
	}
}

// cycloneDXSchema is the one that comes with the library, with the two that it refers to.
func cycloneDXSchema(t *testing.T) *gojsonschema.Schema {
	t.Helper()
	directory, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	load := func(name string) gojsonschema.JSONLoader {
		return gojsonschema.NewBytesLoader(read(t, filepath.Join(strings.TrimSpace(string(directory)), "schema", name)))
	}
	schemas := gojsonschema.NewSchemaLoader()
	if err := schemas.AddSchemas(load("spdx.schema.json"), load("jsf-0.82.schemax.json")); err != nil {
		t.Fatal(err)
	}
	schema, err := schemas.Compile(load("bom-1.6.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestPackageURLs(t *testing.T) {
	for want, module := range map[string][2]string{
		"pkg:golang/helm.sh/helm/v3@v3.22.0":                         {"helm.sh/helm/v3", "v3.22.0"},
		"pkg:golang/github.com/azure/go-autorest@v14%2Bincompatible": {"github.com/Azure/go-autorest", "v14+incompatible"},
	} {
		if got := packageURL(module[0], module[1]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// A registry that got everything in the archive finds each platform's bill through the image's digest.
func TestARegistryListsTheBillAsReferrer(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	repository, err := name.NewRepository(strings.TrimPrefix(server.URL, "http://") + "/agent")
	if err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(layoutIn(t, archive(t)))
	if err != nil {
		t.Fatal(err)
	}
	push(t, repository, index)
	for _, arch := range []string{"amd64", "arm64"} {
		subject, err := imageIn(t, archive(t), arch).Digest()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := referredBill(t, repository, subject), read(t, billPath(archive(t), arch)); !bytes.Equal(got, want) {
			t.Errorf("linux/%s: the registry has another bill", arch)
		}
	}
}

func push(t *testing.T, repository name.Repository, index v1.ImageIndex) {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range manifest.Manifests {
		target := repository.Digest(d.Digest.String())
		if d.MediaType.IsIndex() {
			inner, err := index.ImageIndex(d.Digest)
			if err != nil {
				t.Fatal(err)
			}
			if err := remote.WriteIndex(target, inner); err != nil {
				t.Fatal(err)
			}
			continue
		}
		artifact, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(target, artifact); err != nil {
			t.Fatal(err)
		}
	}
}

func referredBill(t *testing.T, repository name.Repository, subject v1.Hash) []byte {
	t.Helper()
	referrers, err := remote.Referrers(repository.Digest(subject.String()))
	if err != nil {
		t.Fatal(err)
	}
	list, err := referrers.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Manifests) != 1 {
		t.Fatalf("%s has %d bills", subject, len(list.Manifests))
	}
	artifact, err := remote.Image(repository.Digest(list.Manifests[0].Digest.String()))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := artifact.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if manifest.ArtifactType != "application/vnd.cyclonedx+json" {
		t.Errorf("artifactType is %q", manifest.ArtifactType)
	}
	layers, err := artifact.Layers()
	if err != nil {
		t.Fatal(err)
	}
	content, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	var bill bytes.Buffer
	if _, err := bill.ReadFrom(content); err != nil {
		t.Fatal(err)
	}
	return bill.Bytes()
}

// agentBill is the bill of the agent that `make build` built, for the platform of this machine.
func agentBill(t *testing.T) (*cyclonedx.BOM, []byte) {
	t.Helper()
	agent := "../../bin/helmfile-agent"
	arch, err := exec.Command("go", "env", "GOARCH").Output()
	if err != nil {
		t.Fatal(err)
	}
	content, err := billOf(release, strings.TrimSpace(string(arch)), agent)
	if err != nil {
		t.Fatalf("make build comes first: %v", err)
	}
	var bill cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(content), cyclonedx.BOMFileFormatJSON).Decode(&bill); err != nil {
		t.Fatal(err)
	}
	return &bill, content
}
