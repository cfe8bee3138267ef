package e2e

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// confidential is a helmfile that uses every source of secrets.
const confidential = `
environments: {default: {secrets: [environment.yaml]}}
---
releases:
- name: web
  chart: charts/tiny
  values:
  - fromState: {{ .Values.fromEnvironment }}
    fromReference: ref+sops://reference.json#/deep/key
    fromFile: ref+file://mounted.txt
    fromFunction: {{ fetchSecretValue "ref+file://function.txt" }}
    inTheMiddle: https://ada:ref+envsubst://$TOKEN+@example.com
    key: {{ printf "nothing%s%s" (env "SOPS_AGE_KEY") (env "HELMFILE_AGENT_GIT_PASSWORD") }}
  secrets:
  - file.yaml
`

// TestSecretsAreNeverShown puts a secret from each source into a ConfigMap that diff shows, and into the message of a chart that fails. The
// key is in an environment variable that templates cannot read.
func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	key, err := age.GenerateX25519Identity()
	check(t, err)
	u.env = []string{"SOPS_AGE_KEY=" + key.String(), "HELMFILE_AGENT_GIT_PASSWORD=plain-git", "HELMFILE_AGENT_GIT_ALLOW_PLAIN_HTTP=true", "TOKEN=plain-token", "HELMFILE_AGENT_TEMPLATE_ENV=TOKEN"}
	files := tree(t, "testdata")
	for name, plain := range map[string]string{
		"environment.yaml": "fromEnvironment: plain-environment\n",
		"file.yaml":        "fromFile: plain-secret\n",
		"reference.json":   `{"deep": {"key": "plain-reference"}}`,
	} {
		files[name] = encrypt(t, key.Recipient().String(), name, plain)
	}
	files["mounted.txt"], files["function.txt"] = "plain-mounted", "plain-function"
	files["helmfile.yaml.gotmpl"] = confidential
	repo := newRepository(t, files)
	expectMasked := func(r result) result {
		t.Helper()
		for _, secret := range []string{"plain-", key.String()} {
			if strings.Contains(r.String(), secret) {
				t.Errorf("%s is shown: %s", secret, r)
			}
		}
		return r
	}

	if r := expectMasked(u.run("", "helmfile-agent", "diff", "--namespace", u.namespace, "--repo", repo.url)); r.code != 0 || !strings.Contains(r.stdout, "fromState: ********") {
		t.Errorf("diff: %s", r)
	}
	u.converge("--repo", repo.url)
	values := configMaps(t, u.namespace)[0].Data["values.yaml"]
	for _, line := range []string{"fromState: plain-environment", "fromReference: plain-reference", "fromFile: plain-secret", "fromFunction: plain-function",
		"inTheMiddle: https://ada:plain-token@example.com", "key: nothing\n"} {
		if !strings.Contains(values, line) {
			t.Errorf("the chart was not given %q but\n%s", line, values)
		}
	}

	repo.commit(t, map[string]string{"charts/tiny/templates/fail.yaml": "{{ fail (printf \"%v\" .Values) }}\n"}, "fail")
	for _, command := range []string{"run", "diff"} {
		if r := expectMasked(u.run("", "helmfile-agent", command, "--namespace", u.namespace, "--repo", repo.url)); !strings.Contains(r.stdout, "fromState:********") {
			t.Errorf("%s: %s", command, r)
		}
	}

	t.Log("nor when the helmfile cannot be loaded")
	repo.commit(t, map[string]string{"helmfile.yaml.gotmpl": confidential + "\n{{ fail .Values.fromEnvironment }}\n"}, "cannot be loaded")
	if s, r := u.agent("run", "--repo", repo.url); s.Result != "desired-invalid" {
		t.Errorf("run: %s", expectMasked(r))
	} else {
		expectMasked(r)
	}
}

// derived is a chart that computes a secret, and shows it in a ConfigMap.
const derived = `
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-derived}
stringData: {token: {{ .Values.word | sha256sum }}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-derived}
data: {config: "token={{ .Values.word | sha256sum }}", word: {{ .Values.word }}}
`

// TestContentOfSecretsIsNeverShown puts the content of recorded, rendered and live Secrets into the diff of a ConfigMap.
func TestContentOfSecretsIsNeverShown(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	files := tree(t, "testdata")
	files["charts/tiny/templates/derived.yaml"] = derived
	files["helmfile.yaml"] = "releases: [{name: web, chart: charts/tiny, values: [{word: first}]}]\n"
	repo := newRepository(t, files)
	u.converge("--repo", repo.url)
	live := client(t).CoreV1().ConfigMaps(u.namespace)
	config := must(live.Get(t.Context(), "web-derived", meta.GetOptions{}))(t)
	if want := fmt.Sprintf("token=%x", sha256.Sum256([]byte("first"))); config.Data["config"] != want {
		t.Fatalf("%s was installed, not %s", config.Data["config"], want)
	}

	expect := func(r result, words ...string) {
		t.Helper()
		for _, word := range []string{"first", "second", "third"} {
			if secret := fmt.Sprintf("%x", sha256.Sum256([]byte(word))); strings.Contains(r.String(), secret) {
				t.Errorf("what %s was made into is shown: %s", word, r)
			}
		}
		contains(t, r.String(), words...)
	}
	diff := func(drift string) result {
		return u.run("", "helmfile-agent", "diff", "--namespace", u.namespace, "--repo", repo.url, "--drift", drift)
	}
	repo.commit(t, map[string]string{"helmfile.yaml": strings.Replace(files["helmfile.yaml"], "first", "second", 1)}, "second")
	expect(diff("off"), "-  config: token=********", "+  config: token=********", "-  word: first", "+  word: second")

	t.Log("what is live, and nowhere else")
	repo.commit(t, map[string]string{"helmfile.yaml": files["helmfile.yaml"]}, "first again")
	third := fmt.Sprintf("%x", sha256.Sum256([]byte("third")))
	config.Data["config"] = "token=" + third
	must(live.Update(t.Context(), config, meta.UpdateOptions{}))(t)
	secrets := client(t).CoreV1().Secrets(u.namespace)
	secret := must(secrets.Get(t.Context(), "web-derived", meta.GetOptions{}))(t)
	secret.Data["token"] = []byte(third)
	must(secrets.Update(t.Context(), secret, meta.UpdateOptions{}))(t)
	expect(diff("warn"), `/data/config: "token=********", should be "token=********"`)
}

// TestClosedOutput closes the agent's standard output before the agent has written anything.
func TestClosedOutput(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	repo := newRepository(t, goodState)
	reader, writer, err := os.Pipe()
	check(t, err)
	check(t, reader.Close())
	temp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), filepath.Join(binaries, "helmfile-agent"), "run", "--repo", repo.url, "--namespace", u.namespace)
	cmd.Env = append(u.environment(), "TMPDIR="+temp)
	cmd.Stdout, cmd.Stderr = writer, writer
	_ = cmd.Run() // the test checks the exit status
	if !cmd.ProcessState.Exited() || cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("the run ended with %s, by signal %v", cmd.ProcessState, cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, err)
	}
	if got := len(configMaps(t, u.namespace)); got != 2 {
		t.Errorf("there are %d releases", got)
	}
}
