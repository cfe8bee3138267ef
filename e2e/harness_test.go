package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// control is the control plane of this package's tests. Each test has its own namespaces.
var control *cluster.Cluster

// binaries is the directory of the programs under test, and of the real helm and helmfile. `make bin` builds them.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(withControlPlane(m))
}

func withControlPlane(m *testing.M) int {
	found, err := cluster.FindBinary()
	if err == nil {
		binaries = filepath.Dir(found)
		control, err = cluster.Start(context.Background(), cluster.Options{Binary: found})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "start the control plane:", err)
		return 1
	}
	code := m.Run()
	if err := control.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the control plane:", err)
		return 1
	}
	return code
}

// processTimeout limits one process of a test. It is much longer than any process needs.
const processTimeout = 2 * time.Minute

// tenant is a user with the rights of the ClusterRole admin in one namespace only.
type tenant struct {
	t          testing.TB
	namespace  string
	user       string
	kubeconfig string
	env        []string // additional variables of its processes
}

var tenants atomic.Int64

// newTenant creates a namespace for the test, and a tenant in it.
func newTenant(t testing.TB) tenant {
	t.Helper()
	n := int(tenants.Add(1))
	name := regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(t.Name()), "-")
	namespace := strings.Trim(fmt.Sprintf("%.40s", name), "-") + fmt.Sprintf("-%d", n)
	return bind(t, namespace, cluster.TenantUser(n%cluster.Tenants))
}

func bind(t testing.TB, namespace, user string) tenant {
	t.Helper()
	if err := control.Tenant(t.Context(), namespace, user); err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := control.Kubeconfig(user, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return tenant{t: t, namespace: namespace, user: user, kubeconfig: kubeconfig}
}

// result is the exit code and the output of a process.
type result struct {
	code           int
	stdout, stderr string
}

// String returns all output, for the failure message of a test.
func (r result) String() string {
	return fmt.Sprintf("exit code %d\n--- stdout\n%s\n--- stderr\n%s", r.code, r.stdout, r.stderr)
}

// run runs one of the binaries as the tenant, in a directory.
func (u tenant) run(dir, name string, args ...string) result {
	u.t.Helper()
	return u.runProgram(dir, filepath.Join(binaries, name), args...)
}

// runProgram runs any program as the tenant. The binaries are first in the PATH.
func (u tenant) runProgram(dir, program string, args ...string) result {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), processTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = u.environment()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		u.t.Fatalf("run %s: %v", program, err)
	}
	return result{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}

// environment has a separate home directory, so that the configuration of this machine and the caches of other tests have no effect. The
// real helm is in the PATH, for the real helmfile.
func (u tenant) environment() []string {
	// The path of the test's own temporary directory contains the test's name. helm reads a comma in a path as the end of the path.
	home, err := os.MkdirTemp("", "home-")
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { _ = os.RemoveAll(home) })
	return append([]string{
		"HOME=" + home,
		"KUBECONFIG=" + u.kubeconfig,
		"PATH=" + binaries + string(os.PathListSeparator) + os.Getenv("PATH"),
		"TMPDIR=" + home,
		"GORACE=halt_on_error=1", // a binary with the race detector ends at the first race, with a code that no test expects
		"HELMFILE_AGENT_ALLOW_REMOTE=127.0.0.1,localhost,::1", // the servers of the tests
	}, u.env...)
}

// agent runs helmfile-agent in the tenant's namespace, and returns the report and the result.
func (u tenant) agent(command string, args ...string) (summary, result) {
	u.t.Helper()
	args = append([]string{command, "--namespace", u.namespace, "--output", "json", "--log-level", "warn"}, args...)
	r := u.run("", "helmfile-agent", args...)
	var s summary
	if r.stdout != "" {
		if err := json.Unmarshal([]byte(r.stdout), &s); err != nil {
			u.t.Fatalf("the report is not JSON: %v\n%s", err, r)
		}
	}
	return s, r
}

// converge runs the agent, and fails the test if the run does not converge.
func (u tenant) converge(args ...string) summary {
	u.t.Helper()
	s, r := u.agent("run", args...)
	if r.code != 0 {
		u.t.Fatalf("the run did not converge: %s", r)
	}
	return s
}

// summary has the fields of the agent's JSON report that tests check.
type summary struct {
	Result   string   `json:"result"`
	ExitCode int      `json:"exitCode"`
	Error    string   `json:"error"`
	Warnings []string `json:"warnings"`
	Grant    string   `json:"grant"`
	Source   struct {
		Commit, Author, Subject string
	} `json:"source"`
	Releases []struct {
		Namespace, Name, Action, Result, Why, Error string
		Revision                                    int
	} `json:"releases"`
}

// actions returns one line for each release, by name: "web install done 1".
func (s summary) actions() []string {
	lines := make([]string, 0, len(s.Releases))
	for _, r := range s.Releases {
		lines = append(lines, fmt.Sprintf("%s %s %s %d", r.Name, r.Action, r.Result, r.Revision))
	}
	return lines
}

// repository is a git repository that the agent can clone.
type repository struct {
	*servers.Repo
	url string
}

// newRepository starts a git server with a repository that has the files in its first commit.
func newRepository(t testing.TB, files map[string]string) repository {
	t.Helper()
	root := t.TempDir()
	server, err := servers.NewGitHTTP(root, servers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	repo, err := servers.NewRepo(root, "config.git")
	if err != nil {
		t.Fatal(err)
	}
	r := repository{repo, server.RepoURL("config.git")}
	r.commit(t, files, "first")
	return r
}

func (r repository) commit(t testing.TB, files map[string]string, message string) {
	t.Helper()
	if _, err := r.Commit(files, message); err != nil {
		t.Fatal(err)
	}
}

// tree reads a directory of this repository, such as an example.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files, err := servers.Tree(os.DirFS(dir), "")
	if err != nil {
		t.Fatal(err)
	}
	return files
}
