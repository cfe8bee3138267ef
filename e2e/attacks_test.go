package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/e2e/leaks"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// allAttacks names the environment variable that has every attack run in every mode, as `make attacks` does. Without it the modes but
// the first one get a sample.
const allAttacks = "ALL_ATTACKS"

// sampled is one in how many attacks a sample has.
const sampled = 5

// sandboxModes are the ways in which attacks run.
var sandboxModes = []struct {
	name string
	args []string
}{
	{"required", []string{"--sandbox", "required"}},
	{"off", []string{"--sandbox", "off"}},
}

// attackExits are the exit codes of a run that an attack may end with, unless it names others.
var attackExits = []int{converged, sourceRefused, desiredInvalid, unreadable, releasesFailed}

// attackMemory bounds the address space of an attacked process, in KiB. It protects the machine that runs the tests.
const attackMemory = 12_000_000

// attack is the file attack.yaml. Texts may hold the placeholders of [target.placeholders].
type attack struct {
	Tries     string            `json:"tries"`             // one sentence
	Args      []string          `json:"args"`              // of the agent, beside those of every attack
	Seen      []string          `json:"seen"`              // the output must contain these
	Hidden    []string          `json:"hidden"`            // what a successful attack shows, besides the canaries
	Exit      []int             `json:"exit"`              // allowed exit codes
	Others    []string          `json:"others"`            // releases that must be deployed all the same
	Off       []string          `json:"unsandboxed"`       // kinds of finding that the mode off does not prevent
	OffReason string            `json:"unsandboxedReason"` // why it does not
	Known     string            `json:"known"`             // why it gets through all the same; docs/security.md says so
	Links     map[string]string `json:"links"`             // symbolic links in the repository, and where they lead
	Archive   []archiveEntry    `json:"archive"`           // of the chart evil that the listener serves below /charts
	Sparse    map[string]int64  `json:"sparse"`            // files of zeros in a local checkout, which a diff reads
}

// archiveEntry is one entry of an archive.
type archiveEntry struct {
	Name    string `json:"name"`
	Type    string `json:"type"` // file, symlink, link or directory
	To      string `json:"to"`
	Content string `json:"content"`
	Zeros   int64  `json:"zeros"` // size of a file of zeros
}

// TestEscapeAttempts runs the agent on one hostile repository after the other, and looks for what got out.
func TestEscapeAttempts(t *testing.T) {
	t.Parallel()
	directories, err := filepath.Glob("attacks/*/attack.yaml")
	check(t, err)
	if len(directories) < 100 {
		t.Fatalf("there are only %d attacks", len(directories))
	}
	for m, mode := range sandboxModes {
		for i, file := range directories {
			if m > 0 && i%sampled != 0 && os.Getenv(allAttacks) == "" {
				continue
			}
			dir := filepath.Dir(file)
			t.Run(mode.name+"/"+filepath.Base(dir), func(t *testing.T) {
				t.Parallel()
				spec := readAttack(t, file)
				g := newTarget(t, spec)
				r := g.attackWith(dir, mode.args)
				g.expectHeld(r, mode.name)
			})
		}
	}
}

func readAttack(t *testing.T, file string) attack {
	t.Helper()
	var a attack
	check(t, yaml.UnmarshalStrict(must(os.ReadFile(file))(t), &a))
	if a.Tries == "" || (len(a.Off) > 0) != (a.OffReason != "") {
		t.Fatalf("%s: want what it tries, and a reason for each exception of the mode off", file)
	}
	return a
}

// target is an agent with everything around it that an attack may want.
type target struct {
	tenant
	t        *testing.T
	spec     attack
	canaries map[string]string // by what holds them
	outside  string            // a directory that the agent has no business in
	keys     string            // given with --sops-keys
	temp     string            // TMPDIR of the agent
	listener *listener
	before   map[string]string // the files outside
}

func newTarget(t *testing.T, spec attack) *target {
	t.Helper()
	g := &target{tenant: newTenant(t), t: t, spec: spec, outside: t.TempDir(), keys: t.TempDir(), temp: t.TempDir()}
	key := must(age.GenerateX25519Identity())(t)
	g.canaries = map[string]string{
		"the key of sops":          strings.TrimPrefix(key.String(), "AGE-SECRET-KEY-"),
		"the kubeconfig":           must(control.ConfigFor(g.user))(t).BearerToken,
		"a file":                   "file-" + rand.Text(),
		"a token file":             "token-" + rand.Text(),
		"a chart elsewhere":        "chart-" + rand.Text(),
		"an environment variable":  "environment-" + rand.Text(),
		"the password of git":      "password-" + rand.Text(),
		"the token of a key store": "store-" + rand.Text(),
	}
	mount(t, g.keys, "canary.agekey", key.String()+"\n")
	g.listener = newListener(t, spec.Archive, g.words())
	g.env = []string{
		"TMPDIR=" + g.temp,
		"CANARY_ENV=" + g.canaries["an environment variable"],
		"HELMFILE_AGENT_ALLOW_REMOTE=", // nothing, other than in the other tests
		"HELMFILE_AGENT_GIT_ALLOW_PLAIN_HTTP=true",
		"HELMFILE_AGENT_GIT_USERNAME=ada",
		"HELMFILE_AGENT_GIT_PASSWORD=" + g.canaries["the password of git"],
		"VAULT_TOKEN=" + g.canaries["the token of a key store"],
		"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY=" + g.canaries["the token of a key store"],
		"AWS_EC2_METADATA_DISABLED=true",
	}
	g.furnish()
	g.before = contents(t, g.outside)
	return g
}

// furnish writes the files outside of the checkout.
func (g *target) furnish() {
	g.t.Helper()
	inChart := g.canaries["a chart elsewhere"]
	files{
		"canary.yaml":            "canary: " + g.canaries["a file"] + "\n",
		"token":                  g.canaries["a token file"],
		"chart/Chart.yaml":       "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
		"chart/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: elsewhere}\ndata: {canary: " + inChart + "}\n",
		"kustomization.yaml":     "resources: [object.yaml]\n",
		"object.yaml":            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: outside}\ndata: {canary: " + inChart + "}\n",
		"helmfile.yaml":          "releases: [{name: outside, chart: ./chart}]\n",
		"markers/none":           "A program that runs writes beside this file.\n",
		"program":                "#!/bin/sh\necho ran > " + filepath.Join(g.outside, "markers/program") + "\n",
	}.write(g.t, g.outside)
	check(g.t, os.Chmod(filepath.Join(g.outside, "program"), 0o700))
}

// words replaces the placeholders of attack.yaml and of the files in the repository.
func (g *target) words() *strings.Replacer { return strings.NewReplacer(g.placeholders()...) }

func (g *target) placeholders() []string {
	pairs := []string{
		"@CANARY_FILE@", filepath.Join(g.outside, "canary.yaml"),
		"@OUTSIDE@", g.outside,
		"@MARKERS@", filepath.Join(g.outside, "markers"),
		"@TOKEN_FILE@", filepath.Join(g.outside, "token"),
		"@KEY_DIR@", g.keys,
		"@KEY_FILE@", filepath.Join(g.keys, "canary.agekey"),
		"@KUBECONFIG@", g.kubeconfig,
		"@NAMESPACE@", g.namespace,
		"@API@", control.Config().Host,
		"@PPID@", fmt.Sprint(os.Getpid()),
		"@UP@", strings.TrimSuffix(strings.Repeat("../", 24), "/"), // leads to the root directory from everywhere
	}
	if g.listener != nil {
		pairs = append(pairs, "@HTTP@", g.listener.URL, "@HOST@", strings.TrimPrefix(g.listener.URL, "http://"))
	}
	return pairs
}

// attackWith runs the agent on the repository of an attack.
func (g *target) attackWith(dir string, args []string) result {
	g.t.Helper()
	checkout := g.checkout(filepath.Join(dir, "repo"))
	if len(g.spec.Sparse) > 0 {
		return g.launch("diff", append([]string{"--dir", checkout}, args...)...)
	}
	return g.launch("run", append([]string{"--repo", g.serve(checkout)}, args...)...)
}

// showChart is a chart in every hostile repository. It puts all values into a ConfigMap, for everyone to see.
var showChart = files{
	"charts/show/Chart.yaml": "apiVersion: v2\nname: show\nversion: 1.0.0\n",
	"charts/show/templates/values.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}"}
data:
  values: {{ toYaml .Values | quote }}
`,
}

// checkout is the hostile repository with its placeholders replaced and its links made.
func (g *target) checkout(from string) string {
	g.t.Helper()
	dir := g.t.TempDir()
	replaced := files(tree(g.t, from)).with(g.words())
	for name, content := range showChart {
		replaced[name] = content
	}
	replaced.write(g.t, dir)
	for name, content := range replaced {
		if strings.HasPrefix(content, "#!") {
			check(g.t, os.Chmod(filepath.Join(dir, name), 0o700))
		}
	}
	for name, to := range g.spec.Links {
		path := filepath.Join(dir, name)
		check(g.t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(g.t, os.Symlink(g.words().Replace(to), path))
	}
	for name, size := range g.spec.Sparse {
		check(g.t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
		check(g.t, os.Truncate(filepath.Join(dir, name), size))
	}
	return dir
}

// serve commits a directory, with its links, to a repository that the agent can clone.
func (g *target) serve(dir string) (url string) {
	g.t.Helper()
	root := g.t.TempDir()
	server := must(servers.NewGitHTTP(root, servers.Options{}))(g.t)
	g.t.Cleanup(server.Close)
	repo := must(servers.NewRepo(root, "config.git"))(g.t)
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"add", "--all", "--force"},
		{"-c", "user.name=Mallory", "-c", "user.email=mallory@example.com", "commit", "--quiet", "--message=attack"},
		{"push", "--quiet", repo.Dir, "main"},
	} {
		if r := g.runProgram(dir, "git", args...); r.code != 0 {
			g.t.Fatalf("git %s: %s", args[0], r)
		}
	}
	return server.RepoURL("config.git")
}

// launch runs the agent with a bound on its memory.
func (g *target) launch(command string, args ...string) result {
	g.t.Helper()
	limited := []string{"-c", fmt.Sprintf(`ulimit -v %d && exec "$@"`, attackMemory), "sh", filepath.Join(binaries, "helmfile-agent"), command,
		"--namespace", g.namespace, "--output", "json", "--log-level", "debug", "--timeout", "45s", "--sops-keys", g.keys}
	for _, arg := range g.spec.Args {
		limited = append(limited, g.words().Replace(arg))
	}
	return g.runProgram("", "/bin/sh", append(limited, args...)...)
}

// expectHeld insists that nothing got out, and that the run ended as a run should.
func (g *target) expectHeld(r result, mode string) {
	g.t.Helper()
	if g.spec.Known != "" {
		if len(g.findings(r)) == 0 && slices.Contains(attackExits, r.code) {
			g.t.Errorf("%s It is held by now: remove what is said under known", g.spec.Tries)
		}
		return
	}
	for kind, found := range g.findings(r) {
		if mode == "off" && slices.Contains(g.spec.Off, kind) {
			continue
		}
		g.t.Errorf("%s (%s): %s", kind, g.spec.Tries, strings.Join(found, "\n"))
	}
	exits := g.spec.Exit
	if len(exits) == 0 {
		exits = attackExits
	}
	if !slices.Contains(exits, r.code) {
		g.t.Errorf("exit code %d, want one of %v: %.3000s", r.code, exits, r)
	}
	for _, text := range g.spec.Seen {
		if text = g.words().Replace(text); !strings.Contains(r.String(), text) {
			g.t.Errorf("%q is not in the output: %.3000s", text, r)
		}
	}
	for _, name := range g.spec.Others {
		if !slices.ContainsFunc(configMapNames(g.t, g.namespace), func(found string) bool { return found == name }) {
			g.t.Errorf("the release %s was not deployed: %.3000s", name, r)
		}
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

// findings is what got out, by kind.
func (g *target) findings(r result) map[string][]string {
	g.t.Helper()
	found := map[string][]string{}
	for place, text := range g.places(r) {
		for holder, canary := range g.canaries {
			if seen := leaks.Find(text, []string{canary}); len(seen) > 0 {
				found["canary"] = append(found["canary"], holder+" in "+place+": "+seen[0])
			}
		}
		for _, hidden := range g.spec.Hidden {
			if hidden = g.words().Replace(hidden); strings.Contains(text, hidden) {
				found["hidden"] = append(found["hidden"], fmt.Sprintf("%q in %s", hidden, place))
			}
		}
	}
	add := func(kind string, details []string) {
		if len(details) > 0 {
			found[kind] = details
		}
	}
	add("listener", g.listener.hits())
	add("leftover", filesIn(g.t, g.temp))
	add("written", changed(g.before, contents(g.t, g.outside)))
	return found
}

// places is everything in which a person with rights in the namespace could read.
func (g *target) places(r result) map[string]string {
	g.t.Helper()
	api, ctx := client(g.t).CoreV1(), g.t.Context()
	return map[string]string{
		"stdout":         r.stdout,
		"stderr":         r.stderr,
		"the ConfigMaps": yamlOf(g.t, must(api.ConfigMaps(g.namespace).List(ctx, meta.ListOptions{}))(g.t)),
		"the Secrets":    yamlOf(g.t, must(api.Secrets(g.namespace).List(ctx, meta.ListOptions{}))(g.t)),
		"the Events":     yamlOf(g.t, must(api.Events(g.namespace).List(ctx, meta.ListOptions{}))(g.t)),
		"the revisions":  yamlOf(g.t, revisions(g.t, g.namespace)),
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, path := range filesIn(t, dir) {
		content, err := os.ReadFile(path)
		if err != nil {
			content = []byte("a directory")
		}
		all[path] = string(content)
	}
	return all
}

func changed(before, after map[string]string) []string {
	var names []string
	for name, content := range after {
		if was, known := before[name]; !known || was != content {
			names = append(names, name)
		}
	}
	for name := range before {
		if _, remains := after[name]; !remains {
			names = append(names, name+" is gone")
		}
	}
	return names
}

// listener is the attacker's server. Only requests below /charts are expected.
type listener struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
	silent   map[string]bool // connections that have made no request, such as an attempt to speak TLS
}

func newListener(t *testing.T, archive []archiveEntry, words *strings.Replacer) *listener {
	t.Helper()
	l := &listener{silent: map[string]bool{}}
	packed := pack(t, archive, words)
	l.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.note(r)
		switch r.URL.Path {
		case "/charts/index.yaml":
			_, _ = io.WriteString(w, "apiVersion: v1\nentries:\n  evil:\n  - {apiVersion: v2, name: evil, version: 1.0.0, urls: [evil-1.0.0.tgz]}\n")
		case "/charts/evil-1.0.0.tgz":
			_, _ = w.Write(packed)
		case "/helmfile.yaml", "/base.yaml":
			_, _ = io.WriteString(w, "releases: []\n")
		case "/values.yaml":
			_, _ = io.WriteString(w, "fetched: fetched\n")
		case "/object.yaml":
			_, _ = io.WriteString(w, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fetched}\n")
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"auth": {"client_token": "fetched"}, "data": {"key": "fetched", "data": {"key": "fetched"}}}`)
		}
	}))
	l.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateNew {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.silent[c.RemoteAddr().String()] = true
		}
	}
	l.Start()
	t.Cleanup(l.Close)
	return l
}

func (l *listener) note(r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.silent, r.RemoteAddr)
	if !strings.HasPrefix(r.URL.Path, "/charts/") {
		l.requests = append(l.requests, r.Method+" "+r.URL.String())
	}
}

func (l *listener) hits() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Clone(l.requests)
	for range l.silent {
		all = append(all, "a connection without a request")
	}
	return all
}

// pack makes the archive of a chart.
func pack(t *testing.T, entries []archiveEntry, words *strings.Replacer) []byte {
	t.Helper()
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	archive := tar.NewWriter(compressed)
	types := map[string]byte{"": tar.TypeReg, "file": tar.TypeReg, "symlink": tar.TypeSymlink, "link": tar.TypeLink, "directory": tar.TypeDir}
	for _, e := range entries {
		kind, known := types[e.Type]
		if !known {
			t.Fatalf("an archive has no entry of type %q", e.Type)
		}
		content := words.Replace(e.Content)
		header := &tar.Header{Name: words.Replace(e.Name), Typeflag: kind, Linkname: words.Replace(e.To), Mode: 0o644, Size: int64(len(content)) + e.Zeros}
		check(t, archive.WriteHeader(header))
		_, err := io.Copy(archive, io.MultiReader(strings.NewReader(content), io.LimitReader(zeros{}, e.Zeros)))
		check(t, err)
	}
	check(t, errors.Join(archive.Close(), compressed.Close()))
	return packed.Bytes()
}

// zeros is an endless file.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestEscapeAttemptsAreSeen proves that each kind of finding is found, and that an honest repository has none.
func TestEscapeAttemptsAreSeen(t *testing.T) {
	t.Parallel()
	honest := files{"helmfile.yaml": "releases: [{name: web, chart: ./charts/show, values: [public.yaml]}]\n", "public.yaml": "shown: to everyone\n"}
	for name, c := range map[string]struct {
		spoil func(*target, files)
		kind  string
	}{
		"an honest repository": {func(*target, files) {}, ""},
		"a canary in a value":  {func(g *target, f files) { f["public.yaml"] = "stolen: " + g.canaries["a file"] + "\n" }, "canary"},
		"a canary in base64":   {func(g *target, f files) { f["public.yaml"] = "stolen: " + base64Of(g.canaries["a file"]) + "\n" }, "canary"},
		"a canary in hex":      {func(g *target, f files) { f["public.yaml"] = fmt.Sprintf("stolen: x%x\n", g.canaries["a file"]) }, "canary"},
		"a canary in an error": {func(g *target, f files) {
			f["helmfile.yaml"] = "releases: [{name: web, chart: ./" + g.canaries["a file"] + "}]\n"
		}, "canary"},
		"a canary only in records": {func(g *target, f files) { f["charts/show/unused"] = g.canaries["a file"] }, "canary"},
		"a hidden text":            {func(g *target, _ files) { g.spec.Hidden = []string{"to everyone"} }, "hidden"},
		"a request":                {func(g *target, _ files) { request(g.t, g.listener.URL+"/values.yaml") }, "listener"},
		"a connection":             {func(g *target, _ files) { request(g.t, strings.Replace(g.listener.URL, "http:", "https:", 1)) }, "listener"},
		"a file outside":           {func(g *target, _ files) { mount(g.t, g.outside, "markers/new", "ran") }, "written"},
		"a changed file outside":   {func(g *target, _ files) { mount(g.t, g.outside, "token", "changed") }, "written"},
		"a file that is left":      {func(g *target, _ files) { mount(g.t, g.temp, "left", "secret") }, "leftover"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newTarget(t, attack{})
			repo := files{}
			for _, part := range []files{honest, showChart} {
				for path, content := range part {
					repo[path] = content
				}
			}
			c.spoil(g, repo)
			dir := t.TempDir()
			repo.write(t, dir)
			r := g.launch("run", append([]string{"--repo", g.serve(dir)}, sandboxModes[0].args...)...)
			found := g.findings(r)
			if c.kind == "" && (len(found) > 0 || r.code != converged || !strings.Contains(g.places(r)["the ConfigMaps"], "to everyone")) {
				t.Errorf("the honest repository was not deployed, or there are findings %v: %.3000s", found, r)
			}
			if c.kind != "" && len(found[c.kind]) == 0 {
				t.Errorf("there are only the findings %v: %.3000s", found, r)
			}
		})
	}
}

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// request makes a request and ignores the answer: the listener is what matters.
func request(t *testing.T, url string) {
	t.Helper()
	response, err := http.Get(url)
	if err == nil {
		check(t, response.Body.Close())
	}
}
