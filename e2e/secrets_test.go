package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

// TestSecretsAreDecrypted uses every source of secrets in a helmfile. The real helmfile would need the plugin helm-secrets and a sops
// binary. The agent needs only the key.
func TestSecretsAreDecrypted(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	key, err := age.GenerateX25519Identity()
	check(t, err)
	keys := filepath.Join(t.TempDir(), "keys.txt")
	check(t, os.WriteFile(keys, []byte(key.String()+"\n"), 0o600))
	u.env = []string{"SOPS_AGE_KEY_FILE=" + keys}

	files := tree(t, "testdata")
	for name, plain := range map[string]string{
		"environment.yaml":     "fromEnvironment: plain-environment\n",
		"file.yaml":            "fromFile: plain-file\nreplaced: by nobody\n",
		"template.yaml.gotmpl": "fromTemplate: plain-{{ .Release.Name }}\nreplaced: plain-later\n",
		"inline.yaml":          "fromMap: plain-map\n",
		"reference.json":       `{"deep": {"key": "plain-reference"}}`,
	} {
		files[name] = encrypt(t, key.Recipient().String(), name, plain)
	}
	files["helmfile.yaml.gotmpl"] = `
environments: {default: {secrets: [environment.yaml]}}
---
releases:
- name: web
  chart: charts/tiny
  values:
  - replaced: by secrets
    fromState: {{ .Values.fromEnvironment }}
    fromReference: ref+sops://reference.json#/deep/key
  secrets:
  - file.yaml
  - template.yaml.gotmpl
  - {{ readFile "inline.yaml" | fromYaml | toJson }}
`
	u.converge("--repo", newRepository(t, files).url)

	got := configMaps(t, u.namespace)[0].Data["values.yaml"]
	want := `color: blue
fromFile: plain-file
fromMap: plain-map
fromReference: plain-reference
fromState: plain-environment
fromTemplate: plain-web
replaced: plain-later
size:
  height: 1
  width: 1`
	if got != want {
		t.Errorf("the chart was given\n%s\nnot\n%s", got, want)
	}

	t.Log("without the key the run says which file it cannot read, and changes nothing")
	u.env = nil
	s, r := u.agent("run", "--repo", newRepository(t, files).url)
	if s.Result != "secrets-unreadable" || !strings.Contains(s.Error, "environment.yaml") {
		t.Errorf("unexpected end of a run without the key: %s", r)
	}
	if strings.Contains(r.String(), "plain-") {
		t.Errorf("the run shows secrets: %s", r)
	}
}

// encrypt returns the output of `sops encrypt`.
func encrypt(t *testing.T, recipient, name, plain string) string {
	t.Helper()
	name = strings.TrimSuffix(name, ".gotmpl")
	cmd := exec.CommandContext(t.Context(), filepath.Join(binaries, "sops"),
		"encrypt", "--age", recipient, "--filename-override", name, "/dev/stdin")
	cmd.Stdin = strings.NewReader(plain)
	encrypted, err := cmd.Output()
	check(t, err)
	return string(encrypted)
}
