package e2e

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/e2e/attacks"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// sampled is the part of the attacks in a sample: one in this number.
const sampled = 5

// sandboxModes lists the settings of sandbox with which attacks run.
var sandboxModes = []struct {
	name string
	args []string
}{
	{"required", []string{"--sandbox", "required"}},
	{"off", []string{"--sandbox", "off"}},
}

// attackMemory limits the address space of an attacked process, in KiB. It protects the machine that runs the tests.
const attackMemory = 12_000_000

// TestEscapeAttempts runs the agent on each hostile repository, and searches for leaked secrets and other damage.
func TestEscapeAttempts(t *testing.T) {
	t.Parallel()
	all := must(attacks.Read("attacks"))(t)
	if len(all) < 100 {
		t.Fatalf("there are only %d attacks", len(all))
	}
	for m, mode := range sandboxModes {
		for i, attack := range all {
			if m > 0 && i%sampled != 0 && os.Getenv(attacks.All) == "" {
				continue
			}
			t.Run(mode.name+"/"+attack.Name, func(t *testing.T) {
				t.Parallel()
				g := newTarget(t, attack)
				g.expectDefended(g.runAttack(mode.args), mode.name)
			})
		}
	}
}

// target is an agent with everything that an attack may try to reach.
type target struct {
	tenant
	t        *testing.T
	attack   attacks.Attack
	canaries map[string]string // by the place that contains them
	dir      string            // a directory outside of the checkout
	outside  *attacks.Outside  // the content of dir
	keys     string            // the directory for --sops-keys
	temp     string            // TMPDIR of the agent
	listener *attacks.Listener
}

func newTarget(t *testing.T, attack attacks.Attack) *target {
	t.Helper()
	g := &target{tenant: newTenant(t), t: t, attack: attack, dir: t.TempDir(), keys: t.TempDir(), temp: t.TempDir()}
	g.outside = must(attacks.NewOutside(g.dir, g.dir))(t)
	key := must(age.GenerateX25519Identity())(t)
	g.canaries = map[string]string{
		"the key of sops":          strings.TrimPrefix(key.String(), "AGE-SECRET-KEY-"),
		"the kubeconfig":           must(control.ConfigFor(g.user))(t).BearerToken,
		"an environment variable":  "environment-" + rand.Text(),
		"the password of git":      "password-" + rand.Text(),
		"the token of a key store": "store-" + rand.Text(),
	}
	maps.Copy(g.canaries, g.outside.Canaries)
	mount(t, g.keys, attacks.KeyFile, key.String()+"\n")
	g.listener = must(attacks.NewListener(net.IPv4(127, 0, 0, 1), attack.Archive, g.words()))(t)
	t.Cleanup(g.listener.Close)
	g.env = []string{
		"TMPDIR=" + g.temp,
		"CANARY_ENV=" + g.canaries["an environment variable"],
		"HELMFILE_AGENT_ALLOW_REMOTE=", // no hosts; other tests allow the servers of the tests
		"HELMFILE_AGENT_GIT_ALLOW_PLAIN_HTTP=true",
		"HELMFILE_AGENT_GIT_USERNAME=ada",
		"HELMFILE_AGENT_GIT_PASSWORD=" + g.canaries["the password of git"],
		"VAULT_TOKEN=" + g.canaries["the token of a key store"],
		"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY=" + g.canaries["the token of a key store"],
		"AWS_EC2_METADATA_DISABLED=true",
	}
	return g
}

// words returns the replacer of the placeholders in attack.yaml and in the files of the repository.
func (g *target) words() *strings.Replacer {
	return attacks.Surroundings{
		Outside: g.dir, TokenFile: filepath.Join(g.dir, "token"), Keys: g.keys, Kubeconfig: g.kubeconfig, Namespace: g.namespace, Listener: g.listener,
	}.Words()
}

// runAttack runs the agent on the repository of the attack.
func (g *target) runAttack(args []string) result {
	g.t.Helper()
	dir := g.t.TempDir()
	check(g.t, g.attack.Write(dir, g.words()))
	if len(g.attack.Sparse) > 0 {
		return g.startAgent("diff", append([]string{"--dir", dir}, args...)...)
	}
	return g.startAgent("run", append([]string{"--repo", g.serve(dir)}, args...)...)
}

// serve commits a directory, including links, to a repository that the agent can clone.
func (g *target) serve(dir string) (url string) {
	g.t.Helper()
	root := g.t.TempDir()
	server := must(servers.NewGitHTTP(root, servers.Options{}))(g.t)
	g.t.Cleanup(server.Close)
	repo := must(servers.NewRepo(root, "config.git"))(g.t)
	check(g.t, repo.CommitDir(dir, "attack"))
	return server.RepoURL("config.git")
}

// startAgent runs the agent with a limit on its memory.
func (g *target) startAgent(command string, args ...string) result {
	g.t.Helper()
	limited := []string{"-c", fmt.Sprintf(`ulimit -v %d && exec "$@"`, attackMemory), "sh", filepath.Join(binaries, "helmfile-agent"), command,
		"--namespace", g.namespace, "--output", "json", "--log-level", "debug", "--timeout", "45s", "--sops-keys", g.keys}
	for _, arg := range g.attack.Args {
		limited = append(limited, g.words().Replace(arg))
	}
	return g.runProgram("", "/bin/sh", append(limited, args...)...)
}

// expectDefended fails the test if the attack had any effect, or if the run ended in an unexpected way.
func (g *target) expectDefended(r result, mode string) {
	g.t.Helper()
	var excused []string
	if mode == "off" {
		excused = g.attack.Off
	}
	o := attacks.Outcome{Code: r.code, Output: r.String(), Deployed: configMapNames(g.t, g.namespace), Findings: g.findings(r)}
	for _, wrong := range g.attack.Judge(o, g.words(), excused) {
		g.t.Error(wrong)
	}
	if g.t.Failed() {
		g.t.Logf("%.4000s", r)
	}
}

func configMapNames(t *testing.T, namespace string) []string {
	var names []string
	for _, object := range configMaps(t, namespace) {
		names = append(names, object.Name)
	}
	return names
}

// findings returns the effects of the attack, by kind.
func (g *target) findings(r result) attacks.Findings {
	g.t.Helper()
	found := g.attack.Search(g.places(r), g.canaries, g.words())
	found.Add(attacks.Reached, g.listener.Hits()...)
	found.Add(attacks.Leftover, filesIn(g.t, g.temp)...)
	found.Add(attacks.Written, must(g.outside.Changed())(g.t)...)
	return found
}

// places returns all texts that a person with rights in the namespace can read, by their place.
func (g *target) places(r result) map[string]string {
	g.t.Helper()
	api, ctx := client(g.t).CoreV1(), g.t.Context()
	return map[string]string{
		"stdout":         r.stdout,
		"stderr":         r.stderr,
		"the ConfigMaps": yamlOf(g.t, must(api.ConfigMaps(g.namespace).List(ctx, meta.ListOptions{}))(g.t)),
		"the Secrets":    yamlOf(g.t, must(api.Secrets(g.namespace).List(ctx, meta.ListOptions{}))(g.t)),
		"the Events":     yamlOf(g.t, must(api.Events(g.namespace).List(ctx, meta.ListOptions{}))(g.t)),
		"the listener":   g.listener.Received(),
		"the revisions":  yamlOf(g.t, revisions(g.t, g.namespace)),
	}
}

// TestEscapeAttemptsAreSeen proves that the search finds each kind of effect, and that a harmless repository has none.
func TestEscapeAttemptsAreSeen(t *testing.T) {
	t.Parallel()
	honest := files{"helmfile.yaml": "releases: [{name: web, chart: ./charts/show, values: [public.yaml]}]\n", "public.yaml": "shown: to everyone\n"}
	for name, c := range map[string]struct {
		spoil func(*target, files)
		kind  string
	}{
		"a harmless repository": {func(*target, files) {}, ""},
		"a canary in a value":   {func(g *target, f files) { f["public.yaml"] = "stolen: " + g.canaries["a file"] + "\n" }, attacks.Canary},
		"a canary in base64":    {func(g *target, f files) { f["public.yaml"] = "stolen: " + base64Of(g.canaries["a file"]) + "\n" }, attacks.Canary},
		"a canary in hex":       {func(g *target, f files) { f["public.yaml"] = fmt.Sprintf("stolen: x%x\n", g.canaries["a file"]) }, attacks.Canary},
		"a canary in an error": {func(g *target, f files) {
			f["helmfile.yaml"] = "releases: [{name: web, chart: ./" + g.canaries["a file"] + "}]\n"
		}, attacks.Canary},
		"a canary only in records": {func(g *target, f files) { f["charts/show/unused"] = g.canaries["a file"] }, attacks.Canary},
		"a hidden text":            {func(g *target, _ files) { g.attack.Hidden = []string{"to everyone"} }, attacks.Hidden},
		"a request":                {func(g *target, _ files) { request(g.t, g.listener.URL+"/values.yaml") }, attacks.Reached},
		"a connection":             {func(g *target, _ files) { request(g.t, strings.Replace(g.listener.URL, "http:", "https:", 1)) }, attacks.Reached},
		"a file outside":           {func(g *target, _ files) { mount(g.t, g.dir, "markers/new", "ran") }, attacks.Written},
		"a changed file outside":   {func(g *target, _ files) { mount(g.t, g.dir, "token", "changed") }, attacks.Written},
		"a leftover file":          {func(g *target, _ files) { mount(g.t, g.temp, "left", "secret") }, attacks.Leftover},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newTarget(t, attacks.Attack{})
			repo := files{}
			for _, part := range []files{honest, attacks.ShowChart} {
				for path, content := range part {
					repo[path] = content
				}
			}
			c.spoil(g, repo)
			dir := t.TempDir()
			repo.write(t, dir)
			r := g.startAgent("run", append([]string{"--repo", g.serve(dir)}, sandboxModes[0].args...)...)
			found := g.findings(r)
			if c.kind == "" && (len(found) > 0 || r.code != converged || !strings.Contains(g.places(r)["the ConfigMaps"], "to everyone")) {
				t.Errorf("the harmless repository was not deployed, or there are findings %v: %.3000s", found, r)
			}
			if c.kind != "" && len(found[c.kind]) == 0 {
				t.Errorf("there are only the findings %v: %.3000s", found, r)
			}
		})
	}
}

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// request makes a request and ignores the answer, because the test checks only the listener.
func request(t *testing.T, url string) {
	t.Helper()
	response, err := http.Get(url)
	if err == nil {
		check(t, response.Body.Close())
	}
}
