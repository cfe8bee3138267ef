package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

var release = Release{
	Name:    "registry.example.com/tools/helmfile-agent",
	Version: "v1.2.3",
	Commit:  "0123456789abcdef0123456789abcdef01234567",
	Created: "2026-11-20T21:00:00+01:00",
	Date:    time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC),
}

func TestTheImageHasTheseFilesAndNoOther(t *testing.T) {
	want := `
/etc drwxr-xr-x 0:0
/etc/group -rw-r--r-- 0:0
/etc/passwd -rw-r--r-- 0:0
/etc/ssl drwxr-xr-x 0:0
/etc/ssl/certs drwxr-xr-x 0:0
/etc/ssl/certs/ca-certificates.crt -rw-r--r-- 0:0
/tmp dtrwxrwxrwx 0:0
/usr drwxr-xr-x 0:0
/usr/local drwxr-xr-x 0:0
/usr/local/bin drwxr-xr-x 0:0
/usr/local/bin/helm Lrwxrwxrwx 0:0 -> helmfile-agent
/usr/local/bin/helmfile-agent -rwxr-xr-x 0:0
/usr/local/bin/kustomize Lrwxrwxrwx 0:0 -> helmfile-agent
`
	for _, arch := range []string{"amd64", "arm64"} {
		words, err := describeTree(imageIn(t, archive(t), arch))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, picture(words)); diff != "" {
			t.Errorf("linux/%s (-want +got):\n%s", arch, diff)
		}
	}
}

func TestTheImageHasANonRootUserAndLabels(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		words, err := describe(imageIn(t, archive(t), arch))
		if err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(words, func(key, _ string) bool { return strings.HasPrefix(key, "/") })
		want := map[string]string{
			"platform":                             "linux/" + arch,
			"user":                                 "65532:65532",
			"entrypoint":                           "/usr/local/bin/helmfile-agent",
			"command":                              "",
			"directory":                            "/",
			"env PATH":                             "/usr/local/bin",
			"env HOME":                             "/tmp",
			"env SSL_CERT_FILE":                    "/etc/ssl/certs/ca-certificates.crt",
			"label org.opencontainers.image.title": "helmfile-agent",
			"label org.opencontainers.image.description": "GitOps with Helm for users who are not cluster admins",
			"label org.opencontainers.image.source":      "https://github.com/helmfile-agent/helmfile-agent",
			"label org.opencontainers.image.licenses":    "Apache-2.0",
			"label org.opencontainers.image.version":     "v1.2.3",
			"label org.opencontainers.image.revision":    "0123456789abcdef0123456789abcdef01234567",
			"label org.opencontainers.image.created":     "2026-11-20T21:00:00+01:00",
		}
		if diff := cmp.Diff(want, words); diff != "" {
			t.Errorf("linux/%s (-want +got):\n%s", arch, diff)
		}
	}
}

func TestTwoBuildsAreTheSameBytes(t *testing.T) {
	again := buildArchive(t, t.TempDir())
	for _, name := range []string{"agent.tar", "agent-linux-amd64.cdx.json", "agent-linux-arm64.cdx.json"} {
		first := read(t, filepath.Join(filepath.Dir(archive(t)), name))
		if second := read(t, filepath.Join(filepath.Dir(again), name)); !bytes.Equal(first, second) {
			t.Errorf("%s: two builds differ", name)
		}
	}
}

func TestABinaryOfAnotherPlatformIsRefused(t *testing.T) {
	_, err := writeArchive(filepath.Join(t.TempDir(), "agent.tar"), release, []binary{{"arm64", tiny(t, "amd64")}})
	if err == nil || !strings.Contains(err.Error(), "is built for amd64, not for arm64") {
		t.Errorf("got %v", err)
	}
}

func TestAnImageAboveTheLimitIsRefused(t *testing.T) {
	list, err := buildAll(release, []binary{{"amd64", tiny(t, "amd64")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := withinLimit(list, 40_000_000); err != nil {
		t.Errorf("a tiny image: %v", err)
	}
	if err := withinLimit(list, 1000); err == nil {
		t.Error("1 kB was enough for certificates and a program")
	}
}

func TestTheTreeForTheDockerfileIsTheImage(t *testing.T) {
	directory := t.TempDir()
	if err := writeTree(directory, tiny(t, "amd64")); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := filepath.WalkDir(directory, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == directory {
			return err
		}
		info, err := d.Info()
		got = append(got, strings.TrimPrefix(path, directory)+" "+info.Mode().String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	words, err := describeTree(imageIn(t, archive(t), "amd64"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, path := range slices.Sorted(maps.Keys(words)) {
		mode, _, _ := strings.Cut(words[path], " ")
		want = append(want, path+" "+mode)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-image +tree):\n%s", diff)
	}
}

func TestTheDockerfileCompilesWithTheMakefilesTags(t *testing.T) {
	makefile := submatch(t, "../../Makefile", `(?m)^TAGS := (\S+)$`)
	dockerfile := submatch(t, "../../Dockerfile", `(?m)^ARG TAGS=(\S+)$`)
	if makefile != dockerfile {
		t.Errorf("Makefile: %s\nDockerfile: %s", makefile, dockerfile)
	}
}

func TestCompareNamesWhatDiffers(t *testing.T) {
	other := release
	other.Version = "v1.2.4"
	path := filepath.Join(t.TempDir(), "agent.tar")
	if _, err := writeArchive(path, other, binaries(t)); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := compare(&out, "amd64", archive(t), path); err == nil {
		t.Error("two versions are equal")
	}
	want := "- label org.opencontainers.image.version v1.2.3\n+ label org.opencontainers.image.version v1.2.4\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := compare(&out, "amd64", archive(t), archive(t)); err != nil {
		t.Errorf("an image and itself: %v", err)
	}
}

// picture is a tree, a line for each entry, without the sums of contents.
func picture(words map[string]string) string {
	var out strings.Builder
	out.WriteString("\n")
	for _, path := range slices.Sorted(maps.Keys(words)) {
		line, _, _ := strings.Cut(words[path], " sha256:")
		fmt.Fprintln(&out, path, line)
	}
	return out.String()
}

// shared is a directory for what several tests read: two tiny binaries, and an archive made of them.
var shared string

func TestMain(m *testing.M) {
	var err error
	if shared, err = os.MkdirTemp("", "image-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(shared)
	os.Exit(code)
}

var buildOnce = sync.OnceValue(func() error {
	for _, arch := range []string{"amd64", "arm64"} {
		build := exec.Command("go", "build", "-o", filepath.Join(shared, "tiny-"+arch), "./testdata/tiny")
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build for %s: %w: %s", arch, err, out)
		}
	}
	return nil
})

func tiny(t *testing.T, arch string) string {
	t.Helper()
	if err := buildOnce(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(shared, "tiny-"+arch)
}

func binaries(t *testing.T) []binary {
	t.Helper()
	return []binary{{"amd64", tiny(t, "amd64")}, {"arm64", tiny(t, "arm64")}}
}

func archive(t *testing.T) string {
	t.Helper()
	path := filepath.Join(shared, "agent.tar")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return buildArchive(t, shared)
}

func buildArchive(t *testing.T, directory string) string {
	t.Helper()
	path := filepath.Join(directory, "agent.tar")
	if _, err := writeArchive(path, release, binaries(t)); err != nil {
		t.Fatal(err)
	}
	return path
}

// layoutIn unpacks an archive for as long as the test runs: images are read from it when they are looked at.
func layoutIn(t *testing.T, archive string) string {
	t.Helper()
	directory, done, err := unpacked(archive)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(done)
	return directory
}

func imageIn(t *testing.T, archive, arch string) v1.Image {
	t.Helper()
	image, err := platformImage(layoutIn(t, archive), arch)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func submatch(t *testing.T, path, expression string) string {
	t.Helper()
	found := regexp.MustCompile(expression).FindSubmatch(read(t, path))
	if found == nil {
		t.Fatalf("%s has no %s", path, expression)
	}
	return string(found[1])
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
