package e2e

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	admission "k8s.io/api/admissionregistration/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/e2e/leaks"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// ways are how a helmfile may be given secrets; each becomes a map in the values of the chart.
var ways = []string{"file", "inline", "environment", "sops", "mounted", "template", "variable"}

// canaryHelmfile is no template, so that secrets may look like one.
const canaryHelmfile = `
environments: {default: {secrets: [environment.yaml]}}
---
repositories:
- {name: private, url: %s, username: ada, password: %q}
releases:
- name: web
  chart: charts/%s
  values:
  - {mode: %q}
  - environment.yaml.gotmpl
  - references.yaml
  secrets:
  - file.yaml
  - template.yaml.gotmpl
  - %s
- name: other
  chart: private/tiny
`

// aviary is a helmfile full of canaries, and all that it needs.
type aviary struct {
	tenant
	t        *testing.T
	repo     repository
	charts   *servers.ChartRepository
	canaries []string
	given    map[string]map[string]string // by way and key: what the chart's Secrets must hold
	found    []string                     // in a live Secret that the chart looks up
	inline   string                       // an encrypted map that the helmfile itself holds
	login    string                       // the git server's password
	registry string                       // the chart repository's
	temp     string                       // of the agent's processes
}

const canaryCount = 200

// TestCanaries has 200 secrets of awkward shapes, and the credentials of the run itself, through everything that can go
// wrong, and looks for them in all that was written.
func TestCanaries(t *testing.T) {
	t.Parallel()
	a := newAviary(t)
	a.proveThatTheyAreSeen()
	a.expectClean(a.diff("", "canary"), 0, "++++++++ # (", ": ********")

	t.Log("they are installed as they are")
	a.expectClean(a.run("", "canary"), 0, `"action":"install"`)
	a.expectInstalled()
	a.expectClean(a.run("", "canary"), 0, "2 unchanged in")
	a.expectClean(a.diff("", "canary"), 0, "2 unchanged")

	for _, mode := range []struct{ name, chart, says string }{
		{"fails with YAML", "canary", "********"},
		{"fails with JSON", "canary", `********`},
		{"fails with Go", "canary", "map["},
		{"fails with base64", "canary", "********"},
		{"fails with what it looks up", "canary", "found"},
		{"requires", "canary", "********"},
		{"is no YAML", "canary", "YAML"},
		{"schema", "particular", "********"},
	} {
		a.t.Log("chart:", mode.name)
		a.expectClean(a.run(mode.name, mode.chart), releasesFailed, mode.says)
		a.expectClean(a.diff(mode.name, mode.chart), releasesFailed, mode.says)
	}
	for _, mode := range []struct{ name, says string }{
		{"invalid labels", "a valid label must be"},
		{"invalid name", "Invalid value"},
		{"wrong type", "cannot unmarshal"},
		{"a hook that is refused", "a valid label must be"},
		{"a policy that echoes", "policy says: "},
	} {
		a.t.Log("cluster:", mode.name)
		a.expectClean(a.run(mode.name, "canary"), releasesFailed, mode.says)
	}
	for name, wrong := range map[string]string{
		"fail":     "{{ fail (toYaml .Values) }}",
		"JSON":     "{{ fail (toJson .Values) }}",
		"Go":       `{{ fail (printf "%q %v" .Values.environment .Values) }}`,
		"required": "{{ required (toJson .Values) nil }}",
		"YAML":     "a: b: {{ .Values.environment.k0 }}\n{{ toYaml .Values }}\n : - {{ toYaml .Values.environment }}",
	} {
		a.t.Log("helmfile:", name)
		a.files(map[string]string{"environment.yaml.gotmpl": wrong})
		a.expectClean(a.run("", "canary"), desiredInvalid, "environment.yaml.gotmpl")
	}
	a.files(map[string]string{"environment.yaml.gotmpl": environmentValues})
	a.expectClean(a.run("", "canary"), 0, `"action":"upgrade"`)

	a.t.Log("drift")
	a.drift()
	a.expectClean(a.run("", "canary", "--drift", "warn"), 0, "drifted")
	a.expectClean(a.diff("", "canary"), 0, "to correct: drift", "should be")
	a.expectClean(a.run("", "canary"), 0, `"action":"correct"`)

	a.t.Log("who is not let in")
	a.charts.Close()
	a.expectClean(a.run("", "canary"), releasesFailed, "tiny")
	a.canaries = append(a.canaries, "wrong-"+rand.Text())
	a.env = append(a.env, "HELMFILE_AGENT_GIT_PASSWORD="+a.canaries[len(a.canaries)-1])
	a.expectClean(a.agentRun("run", "--repo", strings.Replace(a.repo.url, "http://", "http://ada:"+a.login+"@", 1)), sourceRefused, "source-refused")
	a.expectObjectsClean()
}

const environmentValues = "environment: {{ .Values.environment | toJson }}\n"

func newAviary(t *testing.T) *aviary {
	a := &aviary{tenant: newTenant(t), t: t, canaries: newCanaries(canaryCount), given: map[string]map[string]string{}, temp: t.TempDir()}
	key, err := age.GenerateX25519Identity()
	check(t, err)
	proxy, vault := rand.Text(), "hvs."+rand.Text()
	a.login = rand.Text()
	a.registry = "reg&/" + rand.Text()
	a.charts = must(servers.NewChartRepository(servers.Options{Username: "ada", Password: a.registry}))(t)
	t.Cleanup(a.charts.Close)
	must(a.charts.Add("testdata/charts/tiny"))(t)
	a.repo = lockedRepository(t, a.login)
	a.env = []string{"TMPDIR=" + a.temp, "SOPS_AGE_KEY=" + key.String(), "HELMFILE_AGENT_GIT_USERNAME=ada", "HELMFILE_AGENT_GIT_PASSWORD=" + a.login,
		"HELMFILE_AGENT_GIT_ALLOW_PLAIN_HTTP=true",
		"HTTPS_PROXY=http://proxy:" + proxy + "@127.0.0.1:1", "VAULT_TOKEN=" + vault}
	a.distribute()
	a.furnish(key.Recipient().String())
	token := must(control.ConfigFor(a.user))(t).BearerToken
	a.canaries = append(append(a.canaries, a.found...), a.login, a.registry, key.String(), token, proxy, vault)
	a.settle("", "tiny")
	return a
}

// lockedRepository wants a password.
func lockedRepository(t *testing.T, password string) repository {
	root := t.TempDir()
	server := must(servers.NewGitHTTP(root, servers.Options{Username: "ada", Password: password}))(t)
	t.Cleanup(server.Close)
	return repository{must(servers.NewRepo(root, "config.git"))(t), server.RepoURL("config.git")}
}

// distribute gives each canary to one way; a template and a variable take only what means nothing to them.
func (a *aviary) distribute() {
	for _, way := range ways {
		a.given[way] = map[string]string{}
	}
	for i, canary := range a.canaries {
		way := ways[(i+i/len(shapes))%5]
		switch i % len(shapes) {
		case 0:
			way = "template"
		case 1, 2:
			way = "variable"
		}
		a.given[way][fmt.Sprintf("k%d", len(a.given[way]))] = canary
	}
}

// furnish writes what does not change during the test.
func (a *aviary) furnish(recipient string) {
	files := tree(a.t, "testdata")
	references := map[string]map[string]string{"sops": {}, "mounted": {}, "variable": {}}
	for key := range a.given["sops"] {
		references["sops"][key] = "ref+sops://reference.yaml#/" + key
	}
	for key, canary := range a.given["mounted"] {
		references["mounted"][key] = "ref+file://mounted/" + key
		files["mounted/"+key] = canary
	}
	var variables []string
	for key, canary := range a.given["variable"] {
		references["variable"][key] = "ref+envsubst://$CANARY_" + key
		a.env = append(a.env, "CANARY_"+key+"="+canary)
		variables = append(variables, "CANARY_"+key)
	}
	a.env = append(a.env, "HELMFILE_AGENT_TEMPLATE_ENV="+strings.Join(variables, ","))
	halves := map[string]string{}
	for key, canary := range a.given["template"] {
		halves[key] = fmt.Sprintf(`{{ printf "%%s%%s" %q %q }}`, canary[:5], canary[5:])
	}
	for name, content := range map[string]any{
		"environment.yaml":     map[string]any{"environment": a.given["environment"]},
		"file.yaml":            map[string]any{"file": a.given["file"]},
		"reference.yaml":       a.given["sops"],
		"template.yaml.gotmpl": map[string]any{"template": halves},
	} {
		files[name] = encrypt(a.t, recipient, name, yamlOf(a.t, content))
	}
	inline := encrypt(a.t, recipient, "inline.yaml", yamlOf(a.t, map[string]any{"inline": a.given["inline"]}))
	a.inline = string(must(yaml.YAMLToJSON([]byte(inline)))(a.t))
	files["references.yaml"] = yamlOf(a.t, references)
	files["environment.yaml.gotmpl"] = environmentValues
	a.files(files)
	a.createFound()
	a.createPolicy()
}

func yamlOf(t *testing.T, content any) string { return string(must(yaml.Marshal(content))(t)) }

func (a *aviary) files(files map[string]string) { a.repo.commit(a.t, files, "next") }

// settle makes the helmfile say which chart, and what goes wrong in it.
func (a *aviary) settle(mode, chart string) {
	a.files(map[string]string{"helmfile.yaml": fmt.Sprintf(canaryHelmfile, a.charts.URL, a.registry, chart, mode, a.inline)})
}

func (a *aviary) run(mode, chart string, args ...string) result {
	a.t.Helper()
	a.settle(mode, chart)
	return a.agentRun("run", append(args, "--repo", a.repo.url, "--output", "json", "--log-level", "debug")...)
}

func (a *aviary) diff(mode, chart string) result {
	a.t.Helper()
	a.settle(mode, chart)
	return a.agentRun("diff", "--repo", a.repo.url, "--log-format", "text", "--log-level", "debug")
}

func (a *aviary) agentRun(command string, args ...string) result {
	a.t.Helper()
	return a.tenant.run("", "helmfile-agent", append([]string{command, "--namespace", a.namespace}, args...)...)
}

// expectClean looks for canaries in what a process said and left behind. That it says certain things shows that it came to
// what it should go through.
func (a *aviary) expectClean(r result, code int, says ...string) {
	a.t.Helper()
	for channel, text := range map[string]string{"stdout": r.stdout, "stderr": r.stderr} {
		if seen := leaks.Find(text, a.canaries); len(seen) > 0 {
			a.t.Errorf("%d canaries in %s: %s", len(seen), channel, strings.Join(seen, "\n"))
		}
	}
	if r.code != code {
		a.t.Errorf("exit code %d, want %d: %.3000s", r.code, code, r)
	}
	for _, text := range says {
		if !strings.Contains(r.String(), text) {
			a.t.Errorf("%q is not in %.3000s", text, r)
		}
	}
	if left := filesIn(a.t, a.temp); len(left) > 0 {
		a.t.Errorf("left behind: %v", left)
	}
}

func filesIn(t *testing.T, dir string) []string {
	var found []string
	check(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && path != dir {
			found = append(found, path)
		}
		return err
	}))
	return found
}

// proveThatTheyAreSeen has the search find every canary that a plain text holds.
func (a *aviary) proveThatTheyAreSeen() {
	a.t.Helper()
	all := fmt.Sprintf("%q", a.given)
	if seen := leaks.Find(all, a.canaries[:canaryCount]); len(seen) != canaryCount {
		a.t.Fatalf("of %d canaries %d are seen", canaryCount, len(seen))
	}
}

// expectInstalled: what reaches the cluster is the plain value, stars and all.
func (a *aviary) expectInstalled() {
	a.t.Helper()
	secret := must(client(a.t).CoreV1().Secrets(a.namespace).Get(a.t.Context(), "web-encoded", meta.GetOptions{}))(a.t)
	got := map[string]string{}
	for key, value := range secret.Data {
		got[key] = string(value)
	}
	want := map[string]string{}
	for way, all := range a.given {
		for key, canary := range all {
			want[way+"."+key] = canary
		}
	}
	if !maps.Equal(got, want) {
		a.t.Errorf("%d values were installed, not the %d given ones", len(got), len(want))
		for name := range want {
			if got[name] != want[name] {
				a.t.Errorf("%s: %.200q, want %.200q", name, got[name], want[name])
			}
		}
	}
	a.expectObjectsClean()
}

// expectObjectsClean looks through every object but those that are meant to hold secrets.
func (a *aviary) expectObjectsClean() {
	a.t.Helper()
	api, ctx := client(a.t).CoreV1(), a.t.Context()
	objects := map[string]any{
		"events":          must(api.Events(a.namespace).List(ctx, meta.ListOptions{}))(a.t).Items,
		"leases":          must(client(a.t).CoordinationV1().Leases(a.namespace).List(ctx, meta.ListOptions{}))(a.t).Items,
		"serviceaccounts": must(api.ServiceAccounts(a.namespace).List(ctx, meta.ListOptions{}))(a.t).Items,
	}
	for _, c := range must(api.ConfigMaps(a.namespace).List(ctx, meta.ListOptions{}))(a.t).Items {
		if !strings.HasPrefix(c.Name, "web-") {
			objects["ConfigMap "+c.Name] = c
		}
	}
	for _, s := range must(api.Secrets(a.namespace).List(ctx, meta.ListOptions{}))(a.t).Items {
		objects["what labels Secret "+s.Name] = s.ObjectMeta
	}
	for _, r := range revisions(a.t, a.namespace) {
		objects[fmt.Sprintf("what describes %s revision %d", r.Name, r.Version)] = []any{r.Info.Description, r.Labels}
	}
	for name, object := range objects {
		if seen := leaks.Find(yamlOf(a.t, object), a.canaries); len(seen) > 0 {
			a.t.Errorf("%d canaries in %s: %s", len(seen), name, strings.Join(seen, "\n"))
		}
	}
	if events := objects["events"].([]core.Event); len(events) == 0 {
		a.t.Error("there is no event to look at")
	}
}

// createFound is what the chart looks up.
func (a *aviary) createFound() {
	found := newCanaries(len(shapes))
	secret := &core.Secret{ObjectMeta: meta.ObjectMeta{Name: "found"}, StringData: map[string]string{}}
	for i, canary := range found {
		secret.StringData[fmt.Sprintf("k%d", i)] = canary
	}
	must(client(a.t).CoreV1().Secrets(a.namespace).Create(a.t.Context(), secret, meta.CreateOptions{}))(a.t)
	a.found = found
}

// createPolicy refuses certain ConfigMaps, in words that hold what was in them.
func (a *aviary) createPolicy() {
	name := a.namespace + "-echo"
	deny := admission.Deny
	policies := client(a.t).AdmissionregistrationV1()
	must(policies.ValidatingAdmissionPolicies().Create(a.t.Context(), &admission.ValidatingAdmissionPolicy{
		ObjectMeta: meta.ObjectMeta{Name: name},
		Spec: admission.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admission.MatchResources{ResourceRules: []admission.NamedRuleWithOperations{{RuleWithOperations: admission.RuleWithOperations{
				Operations: []admission.OperationType{admission.Create, admission.Update},
				Rule:       admission.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
			}}}},
			Validations: []admission.Validation{{
				Expression:        "!has(object.data) || !('echo' in object.data)",
				MessageExpression: "'policy says: ' + object.data['echo']",
			}},
		},
	}, meta.CreateOptions{}))(a.t)
	must(policies.ValidatingAdmissionPolicyBindings().Create(a.t.Context(), &admission.ValidatingAdmissionPolicyBinding{
		ObjectMeta: meta.ObjectMeta{Name: name},
		Spec: admission.ValidatingAdmissionPolicyBindingSpec{
			PolicyName:        name,
			ValidationActions: []admission.ValidationAction{deny},
			MatchResources:    &admission.MatchResources{NamespaceSelector: &meta.LabelSelector{MatchLabels: map[string]string{core.LabelMetadataName: a.namespace}}},
		},
	}, meta.CreateOptions{}))(a.t)
	a.t.Cleanup(func() {
		_ = policies.ValidatingAdmissionPolicies().Delete(a.t.Context(), name, meta.DeleteOptions{})
	})
}

// drift changes every value of a ConfigMap and a Secret to another canary.
func (a *aviary) drift() {
	maps := client(a.t).CoreV1().ConfigMaps(a.namespace)
	each := must(maps.Get(a.t.Context(), "web-each", meta.GetOptions{}))(a.t)
	i := 0
	for key := range each.Data {
		each.Data[key] = a.canaries[i%canaryCount]
		i++
	}
	must(maps.Update(a.t.Context(), each, meta.UpdateOptions{}))(a.t)
	secrets := client(a.t).CoreV1().Secrets(a.namespace)
	encoded := must(secrets.Get(a.t.Context(), "web-encoded", meta.GetOptions{}))(a.t)
	for key, canary := range a.found {
		encoded.Data[fmt.Sprintf("live.%d", key)] = []byte(canary)
	}
	encoded.Data["file.k0"] = []byte(base64.StdEncoding.EncodeToString([]byte(a.found[0])))
	must(secrets.Update(a.t.Context(), encoded, meta.UpdateOptions{}))(a.t)
}
