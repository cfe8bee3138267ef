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

// ways lists the ways in which a helmfile gets secrets. Each becomes a map in the values of the chart.
var ways = []string{"file", "inline", "environment", "sops", "mounted", "template", "variable"}

// canaryHelmfile is not a template, so that secrets may look like templates.
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

// canarySetup is a helmfile with many canaries, and everything that it needs.
type canarySetup struct {
	tenant
	t        *testing.T
	repo     repository
	charts   *servers.ChartRepository
	canaries []string
	given    map[string]map[string]string // the expected content of the chart's Secrets, by way and key
	found    []string                     // secrets in a live Secret that the chart looks up
	inline   string                       // an encrypted map in the helmfile
	login    string                       // the password of the git server
	registry string                       // the password of the chart repository
	temp     string                       // TMPDIR of the agent's processes
}

const canaryCount = 200

// TestCanaries uses 200 secrets of difficult shapes, and the credentials of the run. It lets the run fail in many ways, and searches all
// output for the secrets.
func TestCanaries(t *testing.T) {
	t.Parallel()
	a := newCanarySetup(t)
	a.checkSearch()
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

func newCanarySetup(t *testing.T) *canarySetup {
	a := &canarySetup{tenant: newTenant(t), t: t, canaries: newCanaries(canaryCount), given: map[string]map[string]string{}, temp: t.TempDir()}
	key, err := age.GenerateX25519Identity()
	check(t, err)
	proxy, vault := rand.Text(), "hvs."+rand.Text()
	a.login = rand.Text()
	a.registry = "reg&/" + rand.Text()
	a.charts = must(servers.NewChartRepository(servers.Options{Username: "ada", Password: a.registry}))(t)
	t.Cleanup(a.charts.Close)
	must(a.charts.Add("testdata/charts/tiny"))(t)
	a.repo = passwordRepository(t, a.login)
	a.env = []string{"TMPDIR=" + a.temp, "SOPS_AGE_KEY=" + key.String(), "HELMFILE_AGENT_GIT_USERNAME=ada", "HELMFILE_AGENT_GIT_PASSWORD=" + a.login,
		"HELMFILE_AGENT_GIT_ALLOW_PLAIN_HTTP=true",
		"HTTPS_PROXY=http://proxy:" + proxy + "@127.0.0.1:1", "VAULT_TOKEN=" + vault}
	a.distributeCanaries()
	a.writeFixedFiles(key.Recipient().String())
	token := must(control.ConfigFor(a.user))(t).BearerToken
	a.canaries = append(append(a.canaries, a.found...), a.login, a.registry, key.String(), token, proxy, vault)
	a.setMode("", "tiny")
	return a
}

// passwordRepository returns a repository that requires a password.
func passwordRepository(t *testing.T, password string) repository {
	root := t.TempDir()
	server := must(servers.NewGitHTTP(root, servers.Options{Username: "ada", Password: password}))(t)
	t.Cleanup(server.Close)
	return repository{must(servers.NewRepo(root, "config.git"))(t), server.RepoURL("config.git")}
}

// distributeCanaries assigns each canary to one way. A template and a variable get only canaries without special characters for them.
func (a *canarySetup) distributeCanaries() {
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

// writeFixedFiles writes the files that do not change during the test.
func (a *canarySetup) writeFixedFiles(recipient string) {
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
	a.createLookedUpSecret()
	a.createPolicy()
}

func yamlOf(t *testing.T, content any) string { return string(must(yaml.Marshal(content))(t)) }

func (a *canarySetup) files(files map[string]string) { a.repo.commit(a.t, files, "next") }

// setMode writes the chart and its mistake into the helmfile.
func (a *canarySetup) setMode(mode, chart string) {
	a.files(map[string]string{"helmfile.yaml": fmt.Sprintf(canaryHelmfile, a.charts.URL, a.registry, chart, mode, a.inline)})
}

func (a *canarySetup) run(mode, chart string, args ...string) result {
	a.t.Helper()
	a.setMode(mode, chart)
	return a.agentRun("run", append(args, "--repo", a.repo.url, "--output", "json", "--log-level", "debug")...)
}

func (a *canarySetup) diff(mode, chart string) result {
	a.t.Helper()
	a.setMode(mode, chart)
	return a.agentRun("diff", "--repo", a.repo.url, "--log-format", "text", "--log-level", "debug")
}

func (a *canarySetup) agentRun(command string, args ...string) result {
	a.t.Helper()
	return a.tenant.run("", "helmfile-agent", append([]string{command, "--namespace", a.namespace}, args...)...)
}

// expectClean searches for canaries in the output of a process and in the files that it left. The output must contain certain texts, which
// show that the process did what the test needs.
func (a *canarySetup) expectClean(r result, code int, says ...string) {
	a.t.Helper()
	for channel, text := range map[string]string{"stdout": r.stdout, "stderr": r.stderr} {
		if found := leaks.Find(text, a.canaries); len(found) > 0 {
			a.t.Errorf("%d canaries in %s: %s", len(found), channel, strings.Join(found, "\n"))
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

// checkSearch checks that the search finds every canary in a plain text.
func (a *canarySetup) checkSearch() {
	a.t.Helper()
	all := fmt.Sprintf("%q", a.given)
	if found := leaks.Find(all, a.canaries[:canaryCount]); len(found) != canaryCount {
		a.t.Fatalf("the search finds %[2]d of %[1]d canaries", canaryCount, len(found))
	}
}

// expectInstalled checks that the cluster has the plain values, including values that contain stars.
func (a *canarySetup) expectInstalled() {
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

// expectObjectsClean searches every object except those that must contain secrets.
func (a *canarySetup) expectObjectsClean() {
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
		if found := leaks.Find(yamlOf(a.t, object), a.canaries); len(found) > 0 {
			a.t.Errorf("%d canaries in %s: %s", len(found), name, strings.Join(found, "\n"))
		}
	}
	if events := objects["events"].([]core.Event); len(events) == 0 {
		a.t.Error("there is no event to look at")
	}
}

// createLookedUpSecret creates the Secret that the chart looks up.
func (a *canarySetup) createLookedUpSecret() {
	found := newCanaries(len(shapes))
	secret := &core.Secret{ObjectMeta: meta.ObjectMeta{Name: "found"}, StringData: map[string]string{}}
	for i, canary := range found {
		secret.StringData[fmt.Sprintf("k%d", i)] = canary
	}
	must(client(a.t).CoreV1().Secrets(a.namespace).Create(a.t.Context(), secret, meta.CreateOptions{}))(a.t)
	a.found = found
}

// createPolicy creates a policy that refuses certain ConfigMaps, with a message that contains their content.
func (a *canarySetup) createPolicy() {
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

// drift replaces every value of a ConfigMap and a Secret by another canary.
func (a *canarySetup) drift() {
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
