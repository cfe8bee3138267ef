package recorder

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestRepositoriesAreRegistered checks that the agent gets the passwords, and that the children of chartify do not.
func TestRepositoriesAreRegistered(t *testing.T) {
	r, agent, mask := newRecorder(t)
	dir, err := os.Getwd()
	check(t, err)
	check(t, r.AddRepo("charts", "https://charts.example", "ca.pem", "/etc/cert.pem", "", "user", "s3cret", "", true, true))
	check(t, r.RegistryLogin("registry.example", "robot", "t0ken", "", "", "key.pem", false))
	want := []release.Repository{
		{Name: "charts", URL: "https://charts.example", Username: "user", Password: "s3cret", CAFile: filepath.Join(dir, "ca.pem"),
			CertFile: "/etc/cert.pem", PassCredentials: true, InsecureSkipTLSVerify: true},
		{Name: "registry.example", URL: "oci://registry.example", OCI: true, Username: "robot", Password: "t0ken", KeyFile: filepath.Join(dir, "key.pem")},
	}
	if diff := cmp.Diff(want, agent.registered); diff != "" {
		t.Errorf("the agent (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"s3cret", "t0ken"}, mask.secrets); diff != "" {
		t.Errorf("the mask (-want +got):\n%s", diff)
	}
	for i := range want {
		want[i].Username, want[i].Password = "", ""
	}
	children, err := chart.ReadRepositories(os.Getenv("HELM_REPOSITORY_CONFIG"))
	check(t, err)
	if diff := cmp.Diff(want, children); diff != "" {
		t.Errorf("the children (-want +got):\n%s", diff)
	}
}

func TestRepositoriesAreRefused(t *testing.T) {
	r, agent, _ := newRecorder(t)
	if err := r.AddRepo("", "https://charts.example", "", "", "", "", "", "", false, false); err == nil || err.Error() != "repository https://charts.example has no name" {
		t.Errorf("got %v", err)
	}
	agent.err = errors.New("more than 1000 repositories")
	if err := r.AddRepo("charts", "https://charts.example", "", "", "", "", "", "", false, false); !errors.Is(err, agent.err) {
		t.Errorf("got %v", err)
	}
}

func TestChartsOfRegistries(t *testing.T) {
	login := release.Repository{Name: "registry.example:5000", URL: "oci://registry.example:5000", OCI: true, Username: "robot"}
	for name, test := range map[string]struct {
		ref   string
		flags []string
		want  release.Chart
		stub  string // the version in the stub
	}{
		"a version": {
			ref: "registry.other/team/web", flags: []string{"--version", "1.2.3"},
			want: release.Chart{Ref: "oci://registry.other/team/web", Version: "1.2.3"}, stub: "1.2.3",
		},
		"a tag": {
			ref: "registry.other/team/web:1.2.3", flags: []string{"--version", "1.2.3"},
			want: release.Chart{Ref: "oci://registry.other/team/web", Version: "1.2.3"}, stub: "1.2.3",
		},
		"a constraint": {
			ref: "registry.other/team/web", flags: []string{"--version", "~1.2", "--devel"},
			want: release.Chart{Ref: "oci://registry.other/team/web", Version: "~1.2", Devel: true}, stub: "0.0.0",
		},
		"a digest": {
			ref:  "registry.other/team/web@sha256:0123",
			want: release.Chart{Ref: "oci://registry.other/team/web@sha256:0123"}, stub: "0.0.0",
		},
		"a tag and a digest": {
			ref:  "registry.other/team/web:1.2.3@sha256:0123",
			want: release.Chart{Ref: "oci://registry.other/team/web@sha256:0123", Version: "1.2.3"}, stub: "1.2.3",
		},
		"a host with a port and a login": {
			ref: "registry.example:5000/team/web", flags: []string{"--plain-http"},
			want: release.Chart{Ref: "oci://registry.example:5000/team/web", PlainHTTP: true, Repository: &login}, stub: "0.0.0",
		},
		"certificates without a login": {
			ref: "registry.other/team/web", flags: []string{"--ca-file", "/ca", "--cert-file", "/cert", "--key-file", "/key", "--registry-config", "x"},
			want: release.Chart{Ref: "oci://registry.other/team/web", Repository: &release.Repository{OCI: true, CAFile: "/ca", CertFile: "/cert", KeyFile: "/key"}},
			stub: "0.0.0",
		},
		"a signature": {
			ref: "registry.other/team/web", flags: []string{"--verify", "--keyring", "/ring.gpg", "--version", "1.2.3"},
			want: release.Chart{Ref: "oci://registry.other/team/web", Version: "1.2.3", Verify: true, Keyring: "/ring.gpg"}, stub: "1.2.3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, agent, _ := newRecorder(t)
			check(t, r.RegistryLogin("registry.example:5000", "robot", "", "", "", "", false))
			into := t.TempDir()
			check(t, r.ChartPull(test.ref, into, test.flags...))
			content, err := os.ReadFile(filepath.Join(into, "web", "Chart.yaml"))
			check(t, err)
			if want := "apiVersion: v2\nname: web\nversion: " + test.stub + "\n"; string(content) != want {
				t.Errorf("the stub is %q, not %q", content, want)
			}
			got, err := recordWeb(t, r, filepath.Join(into, "web"), "")
			check(t, err)
			if diff := cmp.Diff(test.want, got.Chart); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if agent.pulls != nil {
				t.Errorf("the chart was downloaded: %v", agent.pulls)
			}
		})
	}
}

// TestPatchedChartsAreDownloaded checks that a state that patches charts gets real charts, also in place of the stubs of former states.
func TestPatchedChartsAreDownloaded(t *testing.T) {
	r, agent, _ := newRecorder(t)
	agent.pulled = filepath.Join(t.TempDir(), "web")
	write(t, filepath.Join(agent.pulled, "Chart.yaml"), "name: real\n")
	stub, into := t.TempDir(), t.TempDir()
	check(t, r.ChartPull("registry.example/web", stub, "--version", "1.0.0"))
	if agent.pulls != nil {
		t.Errorf("the chart was downloaded too early: %v", agent.pulls)
	}
	check(t, r.Begin(nil, true))
	check(t, r.ChartPull("registry.example/web", into, "--version", "2.0.0"))
	for _, dir := range []string{stub, into} {
		if content, err := os.ReadFile(filepath.Join(dir, "web", "Chart.yaml")); string(content) != "name: real\n" {
			t.Errorf("got %q, %v", content, err)
		}
	}
	if diff := cmp.Diff([]string{"oci://registry.example/web 1.0.0", "oci://registry.example/web 2.0.0"}, agent.pulls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got, err := recordWeb(t, r, filepath.Join(stub, "web"), "")
	check(t, err)
	if got.Chart.Path != filepath.Join(stub, "web") || got.Chart.Ref != "" {
		t.Errorf("a downloaded chart is still a stub: %+v", got.Chart)
	}
	agent.err = errors.New("no such host")
	if err := r.ChartPull("registry.example/web", into); !errors.Is(err, agent.err) {
		t.Errorf("got %v", err)
	}
}

func TestUnknownFlagsOfPulls(t *testing.T) {
	r, _, _ := newRecorder(t)
	if err := r.ChartPull("registry.example/web", t.TempDir(), "--unknown"); err == nil || !strings.HasPrefix(err.Error(), "pull registry.example/web: ") {
		t.Errorf("got %v", err)
	}
}
