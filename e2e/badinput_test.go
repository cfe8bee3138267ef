package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// badInput is one mistake, and what the agent must report about it. Texts may contain placeholders such as <repo> for values that differ
// between runs; see [attempt.placeholders].
type badInput struct {
	mistake string   // a description of the mistake
	files   files    // replace files of the good state
	local   files    // files in the agent's working directory
	args    []string // in addition to --repo and --namespace; they may override these
	env     []string
	command string // the command; run if empty

	code     int
	message  []string // texts that the message must contain: where the mistake is, and how to correct it
	recorded bool     // only the API server can find the mistake, so Helm records a failed revision
}

// password is the only secret of the cases. No message may contain it.
const password = "open-sesame-4711"

// TestBadInput makes each mistake in a cluster in a good state. It checks the exit code and that the message names the mistake. The cluster
// must not change, except for releases that the mistake does not concern.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := newTestServers(t)
	for _, bad := range slices.Concat(badConfiguration, badSource, badHelmfile, badSecrets, badReleases, badCluster) {
		t.Run(bad.mistake, func(t *testing.T) {
			t.Parallel()
			a := s.newAttempt(t)
			a.install()
			before, since := a.snapshot(), now(t)
			output := a.make(bad)
			output.expect(bad, a)
			if bad.code == releasesFailed {
				a.expectOnlyOtherUpgraded(output, bad, before)
			} else {
				a.expectNoChange(before, since)
			}
		})
	}
}

const (
	converged      = 0
	configInvalid  = 10
	unreachable    = 11
	sourceRefused  = 12
	desiredInvalid = 14
	unreadable     = 15
	noCluster      = 16
	forbidden      = 17
	releasesFailed = 18
	deadline       = 21
	terminated     = 143
)

// testServers has all servers that the cases need. Each case has its own repository.
type testServers struct {
	root     string
	git      *servers.GitHTTP
	private  *servers.GitHTTP
	ssh      *servers.GitSSH
	imposter *servers.GitSSH // has another host key than ssh
	charts   *servers.ChartRepository
	registry *servers.Registry
	admin    kubernetes.Interface
}

func newTestServers(t *testing.T) *testServers {
	t.Helper()
	s := &testServers{root: t.TempDir()}
	secured := servers.Options{Username: "ada", Password: password + "-the-right-one"}
	s.git = must(servers.NewGitHTTP(s.root, servers.Options{}))(t)
	t.Cleanup(s.git.Close)
	s.private = must(servers.NewGitHTTP(s.root, secured))(t)
	t.Cleanup(s.private.Close)
	s.ssh = must(servers.NewGitSSH(s.root))(t)
	t.Cleanup(s.ssh.Close)
	s.imposter = must(servers.NewGitSSH(s.root))(t)
	t.Cleanup(s.imposter.Close)
	s.charts = must(servers.NewChartRepository(servers.Options{}))(t)
	t.Cleanup(s.charts.Close)
	s.registry = must(servers.NewRegistry(servers.Options{}))(t)
	t.Cleanup(s.registry.Close)
	s.admin = must(kubernetes.NewForConfig(control.Config()))(t)
	s.publish(t)
	return s
}

// publish adds a chart and an empty repository to the servers.
func (s *testServers) publish(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	goodState.under("charts/small").write(t, dir)
	must(s.charts.Add(dir))(t)
	_, _, err := s.registry.PushChart(dir)
	check(t, err)
	must(servers.NewRepo(s.root, "empty.git"))(t)
}

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// attempt is a tenant with a repository in the good state, which is installed.
type attempt struct {
	tenant
	*testServers
	repo  repository
	words *strings.Replacer
	dir   string // the agent's working directory
	temp  string // TMPDIR of the agent
}

func (s *testServers) newAttempt(t *testing.T) *attempt {
	t.Helper()
	a := &attempt{tenant: newTenant(t), testServers: s, dir: t.TempDir(), temp: t.TempDir()}
	name := a.namespace + ".git"
	a.repo = repository{must(servers.NewRepo(s.root, name))(t), s.git.RepoURL(name)}
	a.words = strings.NewReplacer(a.placeholders(name)...)
	return a
}

func (a *attempt) placeholders(repo string) []string {
	a.t.Helper()
	stranger := userWithoutRights(a.user)
	host := func(url string) string { _, host, _ := strings.Cut(url, "@"); return host }
	trusted, distrusted := a.ssh.KnownHosts, strings.ReplaceAll(a.imposter.KnownHosts, bracketed(host(a.imposter.URL)), bracketed(host(a.ssh.URL)))
	return []string{
		"<repo>", a.repo.url,
		"<git>", a.git.URL,
		"<private>", a.private.RepoURL(repo),
		"<private-host>", strings.TrimPrefix(a.private.RepoURL(repo), "http://"),
		"<ssh>", a.ssh.RepoURL(repo),
		"<trusted>", trusted,
		"<distrusted>", distrusted,
		"<client-key>", string(a.ssh.ClientKey),
		"<charts>", a.charts.URL,
		"<registry>", a.registry.Host(),
		"<dead>", "127.0.0.1:1", // no server listens on this port
		"<namespace>", a.namespace,
		"<stranger>", stranger,
		"<stranger's kubeconfig>", must(control.Kubeconfig(stranger, a.namespace))(a.t),
		"<server>", control.Config().Host,
		"<password>", password,
	}
}

// bracketed returns an address with a port in the form of known_hosts.
func bracketed(address string) string {
	host, port, _ := strings.Cut(address, ":")
	return "[" + host + "]:" + port
}

// userWithoutRights returns a user who has no rights in the namespace of the given user.
func userWithoutRights(user string) string {
	if other := cluster.TenantUser(0); other != user {
		return other
	}
	return cluster.TenantUser(1)
}

// install installs the good state.
func (a *attempt) install() {
	a.t.Helper()
	a.repo.commit(a.t, goodState, "good")
	if output := a.make(badInput{}); output.code != converged {
		a.t.Fatalf("the good state was not installed: %s", output)
	}
}

// make commits the mistake and runs the agent.
func (a *attempt) make(bad badInput) agentOutput {
	a.t.Helper()
	if len(bad.files) > 0 {
		a.repo.commit(a.t, bad.files.with(a.words), bad.mistake)
	}
	bad.local.with(a.words).write(a.t, a.dir)
	ctx, cancel := context.WithTimeout(a.t.Context(), processTimeout)
	defer cancel()
	return a.call(a.command(ctx, bad))
}

func (a *attempt) command(ctx context.Context, bad badInput) *exec.Cmd {
	calls := "run"
	if bad.command != "" {
		calls = bad.command
	}
	args := []string{calls, "--repo", a.repo.url, "--namespace", a.namespace, "--output", "json", "--log-level", "warn"}
	for _, arg := range bad.args {
		args = append(args, a.words.Replace(arg))
	}
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "helmfile-agent"), args...)
	cmd.Dir = a.dir
	cmd.Env = append(a.environment(), "TMPDIR="+a.temp)
	for _, variable := range bad.env {
		cmd.Env = append(cmd.Env, a.words.Replace(variable))
	}
	return cmd
}

func (a *attempt) call(cmd *exec.Cmd) agentOutput {
	a.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	if exited := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exited) {
		a.t.Fatalf("run the agent: %v", err)
	}
	return a.read(cmd, stdout.Bytes(), stderr.String(), time.Since(began))
}

func (a *attempt) read(cmd *exec.Cmd, stdout []byte, stderr string, took time.Duration) agentOutput {
	a.t.Helper()
	s := agentOutput{result: result{code: cmd.ProcessState.ExitCode(), stdout: string(stdout), stderr: stderr}, took: took}
	if len(stdout) > 0 {
		if err := json.Unmarshal(stdout, &s.summary); err != nil {
			a.t.Fatalf("the report is not JSON: %v\n%s", err, s)
		}
	}
	return s
}

// agentOutput is the result of the agent.
type agentOutput struct {
	result
	summary
	took time.Duration
}

// message returns the errors and warnings of the report, or standard error if there is no report.
func (s agentOutput) message() string {
	if s.stdout == "" {
		return s.stderr
	}
	lines := append([]string{s.Error}, s.Warnings...)
	for _, r := range s.Releases {
		if r.Error != "" {
			lines = append(lines, r.Namespace+"/"+r.Name+": "+r.Error)
		}
	}
	return strings.Join(lines, "\n")
}

func (s agentOutput) expect(bad badInput, a *attempt) {
	a.t.Helper()
	a.t.Logf("exit %d after %s: %s", s.code, s.took.Round(time.Millisecond), s.message())
	if s.code != bad.code {
		a.t.Errorf("want exit code %d, got: %s", bad.code, s.result)
	}
	for _, name := range bad.message {
		if name = a.words.Replace(name); !strings.Contains(s.message(), name) {
			a.t.Errorf("the message does not name %q", name)
		}
	}
	for what, secret := range map[string]string{"the password": password, "the agent's temporary directory": a.temp} {
		if strings.Contains(s.stdout+s.stderr, secret) {
			a.t.Errorf("%s is in the output: %s", what, s.result)
		}
	}
}

// snapshot has the versions of the records and objects of releases in the namespace, by kind and name.
type snapshot map[string]string

func (a *attempt) snapshot() snapshot {
	a.t.Helper()
	found := snapshot{}
	secrets := must(a.admin.CoreV1().Secrets(a.namespace).List(a.t.Context(), meta.ListOptions{}))(a.t)
	for _, secret := range secrets.Items {
		found["record "+secret.Name] = secret.ResourceVersion
	}
	texts := must(a.admin.CoreV1().ConfigMaps(a.namespace).List(a.t.Context(), meta.ListOptions{}))(a.t)
	for _, text := range texts.Items {
		found["object "+text.Name] = text.ResourceVersion
	}
	return found
}

// of returns the part of one release.
func (s snapshot) of(release string) snapshot {
	own := snapshot{}
	for what, version := range s {
		if strings.HasPrefix(what, "record sh.helm.release.v1."+release+".") || what == "object "+release {
			own[what] = version
		}
	}
	return own
}

func (a *attempt) expectNoChange(before snapshot, since cluster.Position) {
	a.t.Helper()
	if diff := cmp.Diff(before, a.snapshot()); diff != "" {
		a.t.Errorf("the cluster has changed: %s", diff)
	}
	requests := must(control.Audit.Requests(a.t.Context(), since, ""))(a.t)
	for _, write := range cluster.Writes(cluster.Select(requests, cluster.Request{Namespace: a.namespace})) {
		if strings.HasPrefix(write.User, "tenant-") {
			a.t.Errorf("the agent tried to write: %s by %s", write, write.User)
		}
	}
}

func (a *attempt) expectOnlyOtherUpgraded(output agentOutput, bad badInput, before snapshot) {
	a.t.Helper()
	after := a.snapshot()
	if bad.recorded {
		a.expectText("good", "first")
	} else if diff := cmp.Diff(before.of("good"), after.of("good")); diff != "" {
		a.t.Errorf("the release good has changed: %s", diff)
	}
	a.expectText("other", "second")
	if !slices.Contains(output.actions(), "other upgrade done 2") {
		a.t.Errorf("the release other was not upgraded: %q", output.actions())
	}
}

func (a *attempt) expectText(release, want string) {
	a.t.Helper()
	text := must(a.admin.CoreV1().ConfigMaps(a.namespace).Get(a.t.Context(), release, meta.GetOptions{}))(a.t)
	if diff := cmp.Diff(map[string]string{"text": want}, text.Data); diff != "" {
		a.t.Errorf("release %s: %s", release, diff)
	}
}

// files has the contents of files by path.
type files map[string]string

// goodState has two small releases of one chart.
var goodState = files{
	"helmfile.yaml": `releases:
  - name: good
    chart: ./charts/small
    values:
      - text: first
  - name: other
    chart: ./charts/small
    values:
      - text: first
`,
	"charts/small/Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.0.0\n",
	"charts/small/templates/text.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  text: {{ .Values.text | quote }}
`,
}

// second changes the release other. So a run that must not change anything has something to do.
const second = `  - name: other
    chart: ./charts/small
    values:
      - text: second
`

// good returns a helmfile with these lines for the release good, and with a change of the release other.
func good(lines ...string) files {
	return files{"helmfile.yaml": "releases:\n  - name: good\n    " + strings.Join(lines, "\n    ") + "\n" + second}
}

// ownChart returns a helmfile whose release good has its own chart: the small chart with other files.
func ownChart(changed files) files {
	all := good("chart: ./charts/own").and("charts/own/Chart.yaml", "apiVersion: v2\nname: own\nversion: 1.0.0\n")
	for name, content := range changed {
		all["charts/own/"+name] = content
	}
	return all
}

func (f files) and(name, content string) files {
	f[name] = content
	return f
}

func (f files) with(words *strings.Replacer) files {
	replaced := files{}
	for name, content := range f {
		replaced[name] = words.Replace(content)
	}
	return replaced
}

// under returns the files in a directory, relative to it.
func (f files) under(dir string) files {
	inside := files{}
	for name, content := range f {
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok {
			inside[rest] = content
		}
	}
	return inside
}

func (f files) write(t testing.TB, dir string) {
	t.Helper()
	for name, content := range f {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
