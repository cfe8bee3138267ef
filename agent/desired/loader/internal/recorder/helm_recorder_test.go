package recorder

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
	"github.com/helmfile/helmfile/pkg/helmexec"
	"github.com/helmfile/helmfile/pkg/state"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/decryption"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// fakeAgent stands for the agent. Each pulled chart is the directory pulled.
type fakeAgent struct {
	pulled     string
	pulls      []string
	registered []release.Repository
	err        error
}

func (a *fakeAgent) Register(_ context.Context, repositories ...release.Repository) error {
	a.registered = append(a.registered, repositories...)
	return a.err
}

func (a *fakeAgent) Pull(_ context.Context, chart release.Chart) (string, error) {
	a.pulls = append(a.pulls, chart.Ref+" "+chart.Version)
	return a.pulled, a.err
}

func (a *fakeAgent) Decrypt(_ context.Context, file broker.EncryptedFile) ([]byte, error) {
	return bytes.ToUpper(file.Content), a.err
}

// fakeMask records what it gets.
type fakeMask struct{ secrets []string }

func (m *fakeMask) Add(values ...string)     { m.secrets = append(m.secrets, values...) }
func (m *fakeMask) AddDocument(plain []byte) { m.secrets = append(m.secrets, string(plain)) }

// newRecorder returns a Recorder in a new working directory. Paths that begin with /outside are outside of the repository.
func newRecorder(t *testing.T) (*Recorder, *fakeAgent, *fakeMask) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("HELM_REPOSITORY_CONFIG", filepath.Join(t.TempDir(), "repositories.yaml"))
	agent, mask := &fakeAgent{}, &fakeMask{}
	checkPath := func(path string) error {
		if strings.HasPrefix(path, "/outside") {
			return errors.New(path + " is outside of the repository")
		}
		return nil
	}
	r := New(t.Context(), Options{
		Agent: agent, Mask: mask, Namespace: "shop", CheckPath: checkPath,
		Decrypter: decryption.NewDecrypter(t.Context(), agent, checkPath, slog.New(slog.DiscardHandler)),
	})
	check(t, r.Begin(nil, false))
	return r, agent, mask
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(file), 0o700))
	check(t, os.WriteFile(file, []byte(content), 0o600))
}

// recordWeb records the release web with these flags.
func recordWeb(t *testing.T, r *Recorder, chart, namespace string, flags ...string) (release.Desired, error) {
	t.Helper()
	if err := r.SyncRelease(helmexec.HelmContext{HistoryMax: 10}, "web", chart, namespace, flags...); err != nil {
		return release.Desired{}, err
	}
	want, found := r.Recorded(r.Key(namespace, "web"))
	if !found {
		t.Fatal("nothing was recorded")
	}
	return want, nil
}

func TestFlagsBecomeOptions(t *testing.T) {
	for name, test := range map[string]struct {
		args, flags []string
		want        release.Options
	}{
		"no flags": {want: release.Options{HistoryMax: 10}},
		"all booleans": {
			flags: strings.Fields("--atomic --cleanup-on-fail --create-namespace --disable-openapi-validation --enable-dns --force --hide-notes --no-hooks " +
				"--recreate-pods --render-subchart-notes --skip-crds --skip-schema-validation --take-ownership --wait --wait-for-jobs"),
			want: release.Options{
				Atomic: true, CleanupOnFail: true, CreateNamespace: true, DisableOpenAPIValidation: true, EnableDNS: true, Force: true,
				DisableHooks: true, RecreatePods: true, SubNotes: true, SkipCRDs: true, SkipSchemaValidation: true, TakeOwnership: true, Wait: true,
				WaitForJobs: true, HistoryMax: 10,
			},
		},
		"values of flags": {
			flags: []string{"--timeout", "90s", "--description", "new version", "--labels", "a=b,c=d", "--history-max", "0"},
			want:  release.Options{Timeout: 90 * time.Second, Description: "new version", Labels: map[string]string{"a": "b", "c": "d"}},
		},
		"args of the state come last": {
			flags: []string{"--timeout", "90s"}, args: []string{"--timeout=5s", "--wait"},
			want: release.Options{Timeout: 5 * time.Second, Wait: true, HistoryMax: 10},
		},
		"reuse-values":                      {flags: []string{"--reuse-values"}, want: release.Options{ReuseValues: true, HistoryMax: 10}},
		"reset-then-reuse-values":           {flags: []string{"--reset-then-reuse-values"}, want: release.Options{ResetThenReuseValues: true, HistoryMax: 10}},
		"reset-values overrides both":       {flags: []string{"--reuse-values", "--reset-values", "--reset-then-reuse-values"}, want: release.Options{HistoryMax: 10}},
		"flags without effect on the agent": {flags: strings.Fields("-i --install --debug --dependency-update --kube-context prod"), want: release.Options{HistoryMax: 10}},
	} {
		t.Run(name, func(t *testing.T) {
			r, _, _ := newRecorder(t)
			check(t, os.Mkdir("web", 0o700))
			check(t, r.Begin(test.args, false))
			got, err := recordWeb(t, r, "web", "", test.flags...)
			check(t, err)
			if diff := cmp.Diff(test.want, got.Options); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFlagsAreRefused(t *testing.T) {
	r, _, _ := newRecorder(t)
	const advice = "the agent does not support this helm flag; remove it from args or syncArgs"
	for _, flags := range [][]string{{"--dry-run"}, {"--post-renderer", "./x"}, {"--kubeconfig=x"}, {"--timeout", "soon"}} {
		if _, err := recordWeb(t, r, "web", "", flags...); err == nil || !strings.Contains(err.Error(), advice) {
			t.Errorf("%v: got %v", flags, err)
		}
	}
	if _, err := recordWeb(t, r, "web", "", "--set-file", "a=/outside/token"); err == nil || err.Error() != "/outside/token is outside of the repository" {
		t.Errorf("got %v", err)
	}
	check(t, r.Begin([]string{"--dry-run"}, false))
	if _, err := r.ExtraOptions(); err == nil || !strings.Contains(err.Error(), advice) {
		t.Errorf("got %v", err)
	}
}

func TestValuesAreMerged(t *testing.T) {
	r, _, _ := newRecorder(t)
	write(t, "one.yaml", "a: 1\nb: {c: one, d: 1.5}\nremoved: x\n")
	write(t, "two.yaml", "b: {c: two}\nremoved: null\n")
	write(t, "text.txt", "from a file")
	got, err := recordWeb(t, r, "https://charts.example/web.tgz", "",
		"--values", "one.yaml", "--values", "two.yaml", "--set", "e=true,f=2", "--set-string", "g=3", "--set-json", `h={"i":[4]}`, "--set-literal", "j=k,l", "--set-file", "m=text.txt")
	check(t, err)
	const want = "map[a:1 b:map[c:two d:1.5] e:true f:2 g:3 h:map[i:[4]] j:k,l m:from a file removed:<nil>]"
	if fmt.Sprint(got.Values) != want {
		t.Errorf("got %v, want %s", got.Values, want)
	}
	if _, isText := got.Values["g"].(string); !isText {
		t.Errorf("--set-string became %T", got.Values["g"])
	}
}

func TestInvalidValuesNameTheirEntry(t *testing.T) {
	r, _, _ := newRecorder(t)
	write(t, "valid", "a: 1\n")
	write(t, "invalid", "- a\n")
	r.Expect([]state.ReleaseSpec{{Name: "web", Values: []any{"values/web.yaml", "values/prod.yaml"}}})
	if _, err := recordWeb(t, r, "web", "", "--values", "valid", "--values", "invalid"); err == nil || !strings.HasPrefix(err.Error(), "values/prod.yaml: ") {
		t.Errorf("got %v", err)
	}
	if _, err := recordWeb(t, r, "web", "", "--values", "invalid"); err == nil || !strings.HasPrefix(err.Error(), "merge values: ") {
		t.Errorf("with another number of files: got %v", err)
	}
}

// TestSecretsAreSentToTheMask checks that the files of secrets are sent, and no other values.
func TestSecretsAreSentToTheMask(t *testing.T) {
	r, _, mask := newRecorder(t)
	write(t, "values", "a: 1\n")
	write(t, "secret", "password: s3cret\n")
	r.Expect([]state.ReleaseSpec{
		{Name: "web", Values: []any{"values.yaml"}, Secrets: []any{"secret.yaml"}},
		{Name: "web", Namespace: "other", Values: []any{"values.yaml", "secret.yaml"}},
	})
	for _, namespace := range []string{"", "other"} {
		if _, err := recordWeb(t, r, "https://charts.example/web.tgz", namespace, "--values", "values", "--values", "secret"); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"password: s3cret\n"}, mask.secrets); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEncryptedValuesAreReported(t *testing.T) {
	r, _, _ := newRecorder(t)
	write(t, "secret", "password: ENC[AES256_GCM,data:x]\n")
	r.Expect([]state.ReleaseSpec{{Name: "web", Values: []any{"secret.yaml"}}})
	if _, err := recordWeb(t, r, "https://charts.example/web.tgz", "", "--values", "secret"); err != nil {
		t.Fatal(err)
	}
	if got := r.Encrypted(); len(got) != 1 || !strings.HasPrefix(got[0], "release web: secret.yaml is still encrypted by sops") {
		t.Errorf("got %q", got)
	}
	check(t, r.Begin(nil, false))
	if got := r.Encrypted(); len(got) != 0 {
		t.Errorf("the next state file has the messages of the previous one: %q", got)
	}
}

func TestWhereTheChartIs(t *testing.T) {
	repository := release.Repository{Name: "charts", URL: "https://charts.example"}
	for name, test := range map[string]struct {
		ref   string
		flags []string
		want  func(dir string) release.Chart
		err   string // why the release is broken
	}{
		"a directory, which is not verified": {
			ref: "local/web", flags: []string{"--verify", "--keyring", "ring.gpg"},
			want: func(dir string) release.Chart {
				return release.Chart{Path: filepath.Join(dir, "local/web"), Keyring: filepath.Join(dir, "ring.gpg")}
			},
		},
		"a chart of a repository": {
			ref: "charts/web", flags: []string{"--version", "~1.2", "--devel", "--verify"},
			want: func(string) release.Chart {
				return release.Chart{Ref: "web", Repository: &repository, Version: "~1.2", Devel: true, Verify: true}
			},
		},
		"a URL": {
			ref: "https://charts.example/web.tgz", flags: []string{"--insecure-skip-tls-verify", "--plain-http"},
			want: func(string) release.Chart {
				return release.Chart{Ref: "https://charts.example/web.tgz", InsecureSkipTLSVerify: true, PlainHTTP: true}
			},
		},
		"an unknown repository": {
			ref: "other/web", err: `chart "other/web": there is no such directory, and no repository "other" is declared`,
			want: func(string) release.Chart { return release.Chart{} },
		},
		"a missing directory": {
			ref: "web", err: `chart "web": there is no such directory, and no repository "web" is declared`,
			want: func(string) release.Chart { return release.Chart{} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, _, _ := newRecorder(t)
			check(t, os.MkdirAll("local/web", 0o700))
			dir, err := os.Getwd()
			check(t, err)
			check(t, r.AddRepo(repository.Name, repository.URL, "", "", "", "", "", "", false, false))
			got, err := recordWeb(t, r, test.ref, "", test.flags...)
			check(t, err)
			if diff := cmp.Diff(test.want(dir), got.Chart); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Broken == nil && test.err != "" || got.Broken != nil && got.Broken.Error() != test.err {
				t.Errorf("got %v, want %q", got.Broken, test.err)
			}
		})
	}
}

// TestRecordsOfOneStateFile checks that a state file does not get the releases of the previous one, and that namespaces are distinct.
func TestRecordsOfOneStateFile(t *testing.T) {
	r, _, _ := newRecorder(t)
	for _, namespace := range []string{"", "other"} {
		if _, err := recordWeb(t, r, "https://charts.example/"+namespace, namespace); err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[release.Key]string{{Namespace: "shop", Name: "web"}: "https://charts.example/", {Namespace: "other", Name: "web"}: "https://charts.example/other"} {
		if got, _ := r.Recorded(key); got.Key != key || got.Chart.Ref != want {
			t.Errorf("%s: got %+v", key, got)
		}
	}
	check(t, r.Begin(nil, false))
	if _, found := r.Recorded(r.Key("", "web")); found {
		t.Error("the record of the previous state file remains")
	}
}

func TestDecryptSecretReturnsANewFile(t *testing.T) {
	r, agent, _ := newRecorder(t)
	write(t, "secret.yaml.enc", "a: b\n")
	first, err := r.DecryptSecret(helmexec.HelmContext{}, "secret.yaml.enc")
	check(t, err)
	second, err := r.DecryptSecret(helmexec.HelmContext{}, "secret.yaml.enc")
	check(t, err)
	if first == second || filepath.Base(first) != "secret.yaml" {
		t.Errorf("got %s and %s", first, second)
	}
	for _, file := range []string{first, second} {
		content, err := os.ReadFile(file)
		info, statErr := os.Stat(file)
		if err != nil || statErr != nil || string(content) != "A: B\n" || info.Mode().Perm() != 0o600 {
			t.Errorf("got %q, %v, %v", content, err, info.Mode())
		}
		check(t, os.Remove(file)) // as helmfile does
	}
	if _, err := os.Stat("secret.yaml.enc"); err != nil {
		t.Errorf("the encrypted file is gone: %v", err)
	}
	agent.err = errors.New("cannot decrypt secret.yaml.enc: no key")
	if file, err := r.DecryptSecret(helmexec.HelmContext{}, "secret.yaml.enc"); err == nil || file != "" {
		t.Errorf("got %q, %v", file, err)
	}
	if file, err := r.DecryptSecret(helmexec.HelmContext{}, "/outside/secret.yaml"); err == nil || file != "" {
		t.Errorf("got %q, %v", file, err)
	}
	const want = "cannot decrypt secret.yaml.enc: no key\n/outside/secret.yaml is outside of the repository"
	if got := fmt.Sprint(r.Decrypter.Failures()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestHelmVersion checks that helmfile sees the Helm of this binary, because it depends on the version which flags it passes.
func TestHelmVersion(t *testing.T) {
	r, _, _ := newRecorder(t)
	v := r.GetVersion()
	if got := fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch); "v"+got != chart.HelmVersion() && got != chart.HelmVersion() {
		t.Errorf("got %s, but the binary has %s", got, chart.HelmVersion())
	}
	for version, want := range map[string]bool{"3.2.0": true, "3.17.0": true, chart.HelmVersion(): true, "4.0.0": false} {
		if got := r.IsVersionAtLeast(version); got != want {
			t.Errorf("at least %s: got %t", version, got)
		}
	}
	if !r.IsHelm3() || r.IsHelm4() {
		t.Error("the binary has Helm 3")
	}
}
