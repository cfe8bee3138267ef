package states

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// TestMain makes the test binary answer `helm version`, which helmfile runs before it reads a state.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "helm" {
		fmt.Println("v3.22.0+g0000000")
		return
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "states")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(dir, "helm"))
	}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "HELM_PLUGINS", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELMFILE_CACHE_HOME"} {
		err = errors.Join(err, os.Setenv(name, dir))
	}
	if err := errors.Join(err, os.Setenv("HELM_REPOSITORY_CONFIG", filepath.Join(dir, "repositories.yaml"))); err != nil {
		panic(err)
	}
	return m.Run()
}

// fakeAgent decrypts each file to its content without "encrypted ".
type fakeAgent struct{ err error }

func (a fakeAgent) Register(context.Context, ...release.Repository) error { return a.err }
func (a fakeAgent) Pull(context.Context, release.Chart) (string, error)   { return "", a.err }
func (a fakeAgent) Decrypt(_ context.Context, file broker.EncryptedFile) ([]byte, error) {
	return bytes.ReplaceAll(file.Content, []byte("encrypted "), nil), a.err
}

// fakeOutput records secrets, files and log lines in order.
type fakeOutput struct{ lines []string }

func (o *fakeOutput) add(format string, args ...any) {
	o.lines = append(o.lines, fmt.Sprintf(format, args...))
}
func (o *fakeOutput) Add(values ...string)     { o.add("secrets %q", values) }
func (o *fakeOutput) AddLeaves(document any)   { o.add("secret %v", document) }
func (o *fakeOutput) AddDocument(plain []byte) { o.add("file of secrets %s", plain) }
func (o *fakeOutput) File(name string)         { o.add("reads %s", name) }

// Write implements io.Writer for the log.
func (o *fakeOutput) Write(line []byte) (int, error) {
	o.add("log %s", bytes.TrimSpace(line))
	return len(line), nil
}

// newRequest returns a request for a checkout with these files and the chart web.
func newRequest(t *testing.T, files map[string]string) (Request, *fakeOutput) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir) // Load changes the working directory: this restores it
	write(t, "charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
	for name, content := range files {
		write(t, name, content)
	}
	output := &fakeOutput{}
	return Request{
		Input: protocol.Input{Dir: dir, Workspace: os.TempDir(), Environment: "default", Namespace: "shop", Concurrency: 1},
		Roots: sandbox.Roots{dir, os.TempDir()}, Agent: fakeAgent{}, Output: output,
		Log: slog.New(slog.NewTextHandler(output, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}, output
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// loadOne loads a helmfile with one release.
func loadOne(t *testing.T, req Request) release.Desired {
	t.Helper()
	result, err := Load(t.Context(), req)
	if err != nil || len(result.Releases) != 1 {
		t.Fatalf("got %+v, %v", result, err)
	}
	return result.Releases[0]
}

func TestReleaseIsComplete(t *testing.T) {
	req, _ := newRequest(t, map[string]string{
		"apps/helmfile.yaml": `
helmDefaults: {wait: true, timeout: 90, deleteTimeout: 30, cascade: orphan, historyMax: 3, createNamespace: false, args: [--no-hooks]}
releases:
- name: web
  namespace: front
  chart: ../charts/web
  labels: {tier: front}
  needs: [db, prod/back/cache, back/queue]
  deleteWait: true
  skipDeps: true
  atomic: true
  updateStrategy: reinstallIfForbidden
  values: [values.yaml, {b: 2}]
  set: [{name: c, value: "3"}]
- {name: db, namespace: front, chart: ../charts/web}
- {name: cache, namespace: back, chart: ../charts/web, kubeContext: prod}
- {name: queue, namespace: back, chart: ../charts/web}
`,
		"apps/values.yaml": "a: 1\nb: 1\n",
	})
	req.Path, req.KubeContext = "apps/helmfile.yaml", "prod"
	result, err := Load(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	var got release.Desired
	for _, want := range result.Releases {
		if want.Name == "web" {
			got = want
		}
	}
	want := release.Desired{
		Key: release.Key{Namespace: "front", Name: "web"}, State: release.Installed, File: "apps/helmfile.yaml",
		Needs:  []release.Key{{Namespace: "front", Name: "db"}, {Namespace: "back", Name: "cache"}, {Namespace: "back", Name: "queue"}},
		Labels: map[string]string{"tier": "front", "name": "web", "namespace": "front", "chart": "web"},
		Chart:  release.Chart{Name: "../charts/web", Path: filepath.Join(req.Dir, "charts/web"), SkipDependencies: true},
		Values: map[string]any{"a": float64(1), "b": float64(2), "c": int64(3)},
		Options: release.Options{
			Atomic: true, Wait: true, Timeout: 90 * time.Second, HistoryMax: 3, DisableHooks: true, ReinstallIfForbidden: true,
			DeleteWait: true, DeleteTimeout: 30 * time.Second, Cascade: "orphan",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStatesOfReleases(t *testing.T) {
	req, _ := newRequest(t, map[string]string{"helmfile.yaml": `
environments: {default: {values: [{db: {enabled: false}, cache: {enabled: true}}]}}
---
releases:
- {name: web, chart: ./charts/web, labels: {tier: front}}
- {name: old, chart: ./charts/web, installed: false, labels: {tier: front}}
- {name: db, chart: ./charts/web, condition: db.enabled, labels: {tier: front}}
- {name: cache, chart: ./charts/web, condition: cache.enabled, labels: {tier: back}}
`})
	req.Selectors = []string{"tier=front"}
	result, err := Load(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]release.DesiredState{}
	for _, want := range result.Releases {
		got[want.String()] = want.State
	}
	want := map[string]release.DesiredState{
		"shop/web": release.Installed, "shop/old": release.Absent, "shop/db": release.Disabled, "shop/cache": release.Unselected,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOrderOfStateFiles checks that nested files come first, and that a file is relative to the checkout.
func TestOrderOfStateFiles(t *testing.T) {
	req, output := newRequest(t, map[string]string{
		"helmfile.yaml":      "helmfiles: [apps/*.yaml]\nreleases: [{name: a-top, chart: ./charts/web}]\n",
		"apps/2.yaml":        "releases: [{name: second, chart: ../charts/web}]\n",
		"apps/1.yaml.gotmpl": "",
		"apps/1.yaml":        "releases: [{name: third, chart: ../charts/web}]\n",
	})
	result, err := Load(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, want := range result.Releases {
		got = append(got, fmt.Sprintf("%s in %s, stage %d", want.Name, want.File, want.Stage))
	}
	want := []string{"a-top in helmfile.yaml, stage 2", "second in apps/2.yaml, stage 1", "third in apps/1.yaml, stage 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"reads helmfile.yaml", "reads apps/1.yaml", "reads apps/2.yaml"}, output.lines); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

func TestSkippedFiles(t *testing.T) {
	const release = "releases: [{name: %s, chart: ../charts/web}]\n"
	files := map[string]string{
		"helmfile.d/a.yaml": "helmfiles: [../other/nested.yaml]\n" + fmt.Sprintf(release, "a"),
		"helmfile.d/b.yaml": "environments: {test: {}}\n---\n" + fmt.Sprintf(release, "b"),
		"other/nested.yaml": "environments: {test: {}}\n---\n" + fmt.Sprintf(release, "nested"),
	}
	for name, test := range map[string]struct {
		environment string
		selectors   []string
		want        []string
	}{
		"an environment that all files define": {environment: "test"},
		"an environment of one file": {environment: "production", want: []string{
			`helmfile.d/b.yaml does not define the environment "production"`, `other/nested.yaml does not define the environment "production"`}},
		"with selectors": {environment: "production", selectors: []string{"name=a"}},
	} {
		t.Run(name, func(t *testing.T) {
			req, _ := newRequest(t, files)
			write(t, "helmfile.d/a.yaml", "environments: {test: {}, production: {}}\n---\n"+files["helmfile.d/a.yaml"])
			req.Environment, req.Selectors = test.environment, test.selectors
			result, err := Load(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, result.SkippedFiles); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMissingNestedFile checks that an entry that matches no file is a skipped file, because helmfile only warns about it. It fails if
// helmfile changes the words of the warning.
func TestMissingNestedFile(t *testing.T) {
	req, _ := newRequest(t, map[string]string{"helmfile.yaml": "missingFileHandler: Warn\nhelmfiles: [apps/*.yaml]\nreleases: [{name: web, chart: ./charts/web}]\n"})
	result, err := Load(t.Context(), req)
	if err != nil || len(result.Releases) != 1 || len(result.SkippedFiles) != 1 || !strings.HasSuffix(result.SkippedFiles[0], "apps/*.yaml does not exist") {
		t.Errorf("got %+v, %v", result, err)
	}
}

// TestSecretsAreSentFirst checks that secrets are sent before log lines and releases, which may contain them.
func TestSecretsAreSentFirst(t *testing.T) {
	t.Setenv("STATES_TEST_REFERENCE", "from-a-reference")
	req, output := newRequest(t, map[string]string{
		"helmfile.yaml": "releases:\n- {name: web, chart: ./charts/web, secrets: [secret.yaml], values: [{a: ref+envsubst://$STATES_TEST_REFERENCE}]}\n",
		"secret.yaml":   "password: encrypted s3cret\n",
	})
	got := loadOne(t, req)
	if want := "map[a:from-a-reference password:s3cret]"; fmt.Sprint(got.Values) != want {
		t.Errorf("got %v, want %s", got.Values, want)
	}
	all := strings.Join(output.lines, "\n")
	for _, want := range []string{"secret from-a-reference", "file of secrets password: s3cret"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in:\n%s", want, all)
		}
	}
}

func TestLoadFails(t *testing.T) {
	const web = "releases: [{name: web, chart: ./charts/web}]\n"
	for name, test := range map[string]struct {
		files map[string]string
		with  func(*Request)
		want  string
		code  exit.Code
	}{
		"no helmfile": {
			want: "load helmfile: no state file found. Name it helmfile.d/*", code: exit.DesiredInvalid,
		},
		"a directory without state files": {
			files: map[string]string{"apps/README.md": ""}, with: func(r *Request) { r.Path = "apps" },
			want: "load helmfile: no helmfile found: apps has no file whose name ends in .yaml, .yml or .gotmpl", code: exit.DesiredInvalid,
		},
		"an unknown environment": {
			files: map[string]string{"helmfile.yaml": "environments: {test: {}}\n---\n" + web}, with: func(r *Request) { r.Environment = "tset" },
			want: `load helmfile: the environment "tset" is not defined in any state file: correct the name`, code: exit.DesiredInvalid,
		},
		"an unknown field in a second part": {
			files: map[string]string{"helmfile.yaml": "environments: {default: {}}\n---\nreleases:\n- name: web\n  vallues: []\n"},
			want:  "load helmfile: in helmfile.yaml: line 5: field vallues is not known", code: exit.DesiredInvalid,
		},
		"a template with an error": {
			files: map[string]string{"helmfile.yaml.gotmpl": "environments: {default: {}}\n---\n{{ .Values.missing }}\n"},
			want:  "render the template helmfile.yaml.gotmpl: line 3:", code: exit.DesiredInvalid,
		},
		"an unsupported setting in each of two files": {
			files: map[string]string{
				"helmfile.d/a.yaml": "releases: [{name: web, chart: ../charts/web, adopt: [x]}]\n",
				"helmfile.d/b.yaml": "releases: [{name: db, chart: ../charts/web, serverSide: \"true\"}]\n",
			},
			want: "the agent does not support all of the helmfile:\n" +
				"  helmfile.d/a.yaml: release web: adopt is not supported: it needs the helm-x plugin; use takeOwnership\n" +
				"  helmfile.d/b.yaml: release db: serverSide is not supported: it needs Helm 4 and the agent contains Helm 3",
			code: exit.DesiredInvalid,
		},
		"a command in a template": {
			files: map[string]string{"helmfile.yaml.gotmpl": "# {{ exec \"date\" list }}\n" + web},
			want:  "helmfile.yaml.gotmpl:1: the template function exec is not supported", code: exit.DesiredInvalid,
		},
		"an encrypted file among the values": {
			files: map[string]string{"helmfile.yaml": "releases: [{name: web, chart: ./charts/web, values: [a.yaml]}]\n", "a.yaml": "a: ENC[AES256_GCM,data:x]\n"},
			want:  "helmfile.yaml: release web: a.yaml is still encrypted by sops", code: exit.DesiredInvalid,
		},
		"a chart outside of the repository": {
			files: map[string]string{"helmfile.yaml": "releases: [{name: web, chart: /usr}]\n"},
			want:  "helmfile.yaml: release web: chart: /usr is outside of the repository", code: exit.DesiredInvalid,
		},
		"a release that is declared twice": {
			files: map[string]string{"helmfile.d/a.yaml": strings.ReplaceAll(web, "./", "../"), "helmfile.d/b.yaml": strings.ReplaceAll(web, "./", "../")},
			want:  "release shop/web is declared twice: in helmfile.d/a.yaml and in helmfile.d/b.yaml", code: exit.DesiredInvalid,
		},
		"a secret that the agent cannot decrypt": {
			files: map[string]string{"helmfile.yaml": "releases: [{name: web, chart: ./charts/web, secrets: [a.yaml]}]\n", "a.yaml": "a: x\n"},
			with:  func(r *Request) { r.Agent = fakeAgent{errors.New("cannot decrypt a.yaml: no key")} },
			want:  "cannot decrypt a.yaml: no key", code: exit.SecretsUnreadable,
		},
		"a flag that the agent does not support": {
			files: map[string]string{"helmfile.yaml": "helmDefaults: {args: [--dry-run]}\n" + web},
			want:  "unknown flag: --dry-run: the agent does not support this helm flag", code: exit.DesiredInvalid,
		},
	} {
		t.Run(name, func(t *testing.T) {
			req, _ := newRequest(t, test.files)
			if test.with != nil {
				test.with(&req)
			}
			result, err := Load(t.Context(), req)
			if err == nil || !strings.Contains(err.Error(), test.want) || exit.Of(err) != test.code || result.Releases != nil {
				t.Errorf("got %v with %d, want %q with %d", err, exit.Of(err), test.want, test.code)
			}
			if err != nil && strings.Contains(err.Error(), req.Dir) {
				t.Errorf("the error has the path of the checkout: %v", err)
			}
		})
	}
}
