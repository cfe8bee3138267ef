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

// badInput is one mistake: what is done wrong, and what the agent has to say about it. In every text, placeholders such as
// <repo> stand for what differs from run to run; see [stand.placeholders].
type badInput struct {
	does  string   // the mistake, as a sentence
	files files    // committed over the good ones
	local files    // in the directory where the agent is called
	args  []string // beside --repo and --namespace, which they may repeat
	env   []string
	calls string // another command than run

	code  int
	names []string // what the message must contain, for a person to find the culprit and the way out
	tried bool     // the API server alone could know it, so that a failed revision is recorded
}

// password is the one secret of all cases: no message may contain it.
const password = "open-sesame-4711"

// TestBadInput makes one mistake after the other, each on a cluster in a good state: it has a code of its own, its message
// names the culprit, and the cluster stays as it was, but for the releases that the mistake does not concern.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, bad := range slices.Concat(badConfiguration, badSource, badHelmfile, badSecrets, badReleases, badCluster) {
		t.Run(bad.does, func(t *testing.T) {
			t.Parallel()
			a := s.newAttempt(t)
			a.install()
			before, since := a.snapshot(), now(t)
			said := a.make(bad)
			said.expect(bad, a)
			if bad.code == releasesFailed {
				a.expectOnlyOtherUpgraded(said, bad, before)
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

// stand is every server that cases need; each case has a repository of its own.
type stand struct {
	root     string
	git      *servers.GitHTTP
	private  *servers.GitHTTP
	ssh      *servers.GitSSH
	imposter *servers.GitSSH // its host key is not that of ssh
	charts   *servers.ChartRepository
	registry *servers.Registry
	admin    kubernetes.Interface
}

func newStand(t *testing.T) *stand {
	t.Helper()
	s := &stand{root: t.TempDir()}
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

// publish fills the servers: one chart, and a repository without a commit.
func (s *stand) publish(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	goodState.under("charts/small").write(t, dir)
	must(s.charts.Add(dir))(t)
	_, _, err := s.registry.PushChart(dir)
	must(err, err)(t)
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

// attempt is a tenant with a repository whose good state is installed.
type attempt struct {
	tenant
	*stand
	repo  repository
	words *strings.Replacer
	dir   string // where the agent is called
	temp  string // all that the agent writes to disk is below it
}

func (s *stand) newAttempt(t *testing.T) *attempt {
	t.Helper()
	a := &attempt{tenant: newTenant(t), stand: s, dir: t.TempDir(), temp: t.TempDir()}
	name := a.namespace + ".git"
	a.repo = repository{must(servers.NewRepo(s.root, name))(t), s.git.RepoURL(name)}
	a.words = strings.NewReplacer(a.placeholders(name)...)
	return a
}

func (a *attempt) placeholders(repo string) []string {
	a.t.Helper()
	stranger := strangerTo(a.user)
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
		"<dead>", "127.0.0.1:1", // nobody listens on this port
		"<namespace>", a.namespace,
		"<stranger>", stranger,
		"<stranger's kubeconfig>", must(control.Kubeconfig(stranger, a.namespace))(a.t),
		"<server>", control.Config().Host,
		"<password>", password,
	}
}

// bracketed is how known_hosts writes an address with a port.
func bracketed(address string) string {
	host, port, _ := strings.Cut(address, ":")
	return "[" + host + "]:" + port
}

// strangerTo is a user who has no rights where the given one has them.
func strangerTo(user string) string {
	if other := cluster.TenantUser(0); other != user {
		return other
	}
	return cluster.TenantUser(1)
}

// install brings the cluster into the good state.
func (a *attempt) install() {
	a.t.Helper()
	a.repo.commit(a.t, goodState, "good")
	if said := a.make(badInput{}); said.code != converged {
		a.t.Fatalf("the good state was not installed: %s", said)
	}
}

// make commits the mistake and runs the agent on it.
func (a *attempt) make(bad badInput) said {
	a.t.Helper()
	if len(bad.files) > 0 {
		a.repo.commit(a.t, bad.files.with(a.words), bad.does)
	}
	bad.local.with(a.words).write(a.t, a.dir)
	ctx, cancel := context.WithTimeout(a.t.Context(), processTimeout)
	defer cancel()
	return a.call(a.command(ctx, bad))
}

func (a *attempt) command(ctx context.Context, bad badInput) *exec.Cmd {
	calls := "run"
	if bad.calls != "" {
		calls = bad.calls
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

func (a *attempt) call(cmd *exec.Cmd) said {
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

func (a *attempt) read(cmd *exec.Cmd, stdout []byte, stderr string, took time.Duration) said {
	a.t.Helper()
	s := said{result: result{code: cmd.ProcessState.ExitCode(), stdout: string(stdout), stderr: stderr}, took: took}
	if len(stdout) > 0 {
		if err := json.Unmarshal(stdout, &s.summary); err != nil {
			a.t.Fatalf("the report is not JSON: %v\n%s", err, s)
		}
	}
	return s
}

// said is what the agent answered.
type said struct {
	result
	summary
	took time.Duration
}

// message is what a person is told: the report's errors and warnings, or the last words of a command line that was not run.
func (s said) message() string {
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

func (s said) expect(bad badInput, a *attempt) {
	a.t.Helper()
	a.t.Logf("exit %d after %s: %s", s.code, s.took.Round(time.Millisecond), s.message())
	if s.code != bad.code {
		a.t.Errorf("want exit code %d, got: %s", bad.code, s.result)
	}
	for _, name := range bad.names {
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

// snapshot is the version of each thing in the namespace that a release is made of, by kind and name.
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

// of is the part that belongs to one release.
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

func (a *attempt) expectOnlyOtherUpgraded(said said, bad badInput, before snapshot) {
	a.t.Helper()
	after := a.snapshot()
	if bad.tried {
		a.expectText("good", "first")
	} else if diff := cmp.Diff(before.of("good"), after.of("good")); diff != "" {
		a.t.Errorf("the release good has changed: %s", diff)
	}
	a.expectText("other", "second")
	if !slices.Contains(said.actions(), "other upgrade done 2") {
		a.t.Errorf("the release other was not upgraded: %q", said.actions())
	}
}

func (a *attempt) expectText(release, want string) {
	a.t.Helper()
	text := must(a.admin.CoreV1().ConfigMaps(a.namespace).Get(a.t.Context(), release, meta.GetOptions{}))(a.t)
	if diff := cmp.Diff(map[string]string{"text": want}, text.Data); diff != "" {
		a.t.Errorf("release %s: %s", release, diff)
	}
}

// files are contents by path.
type files map[string]string

// goodState is two small releases of one chart.
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

// second changes the release other, so that a run which ought to change nothing has something to do.
const second = `  - name: other
    chart: ./charts/small
    values:
      - text: second
`

// good is a helmfile with these lines for the release good, and a change of the release other.
func good(lines ...string) files {
	return files{"helmfile.yaml": "releases:\n  - name: good\n    " + strings.Join(lines, "\n    ") + "\n" + second}
}

// ownChart is a helmfile whose release good has a chart of its own: the small one with other files.
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

// under are the files in a directory, relative to it.
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
