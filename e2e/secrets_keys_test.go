package e2e

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

const secretsUnreadable = 15

// keyring is a directory of mounted keys, with the recipients of these keys for sops.
type keyring struct {
	dir, gnupg    string
	age, ssh, pgp string // recipients
}

func newKeyring(t *testing.T) keyring {
	t.Helper()
	k := keyring{dir: t.TempDir(), gnupg: t.TempDir()}
	k.age = mountAge(t, k.dir, "team.agekey").Recipient().String()
	k.ssh = k.mountSSH(t)
	k.pgp = k.mountPGP(t)
	return k
}

func mountAge(t *testing.T, dir, name string) *age.X25519Identity {
	t.Helper()
	key := must(age.GenerateX25519Identity())(t)
	mount(t, dir, name, "# created by age-keygen\n"+key.String()+"\n")
	return key
}

func mount(t *testing.T, dir, name, content string) {
	t.Helper()
	check(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
}

func (k keyring) mountSSH(t *testing.T) (recipient string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	mount(t, k.dir, "id_ed25519", string(pem.EncodeToMemory(must(ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("plain-passphrase")))(t))))
	mount(t, k.dir, "id_ed25519.passphrase", "plain-passphrase\n")
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(must(ssh.NewPublicKey(public))(t))))
}

func (k keyring) mountPGP(t *testing.T) (fingerprint string) {
	t.Helper()
	entity := must(openpgp.NewEntity("team", "", "team@example.com", nil))(t)
	var public, private bytes.Buffer
	check(t, entity.Serialize(&public))
	mount(t, k.gnupg, "pubring.gpg", public.String())
	out := must(armor.Encode(&private, openpgp.PrivateKeyType, nil))(t)
	check(t, entity.SerializePrivate(out, nil))
	check(t, out.Close())
	mount(t, k.dir, "team.asc", private.String())
	return fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint)
}

// encrypts runs `sops encrypt` with these flags.
func (k keyring) encrypts(t *testing.T, name, plain string, flags ...string) string {
	t.Helper()
	args := append([]string{"encrypt", "--filename-override", strings.TrimSuffix(name, ".gotmpl")}, flags...)
	cmd := exec.CommandContext(t.Context(), filepath.Join(binaries, "sops"), append(args, "/dev/stdin")...)
	cmd.Env = append(os.Environ(), "GNUPGHOME="+k.gnupg)
	cmd.Stdin = strings.NewReader(plain)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("sops encrypt %s: %v: %s", name, err, stderr.String())
	}
	return stdout.String()
}

// TestMountedKeys decrypts with only a directory of keys, for every source of secrets in a helmfile and every format of sops. An
// environment variable names the directory, as in a container.
func TestMountedKeys(t *testing.T) {
	t.Parallel()
	u, k := newTenant(t), newKeyring(t)
	u.env = []string{"HELMFILE_AGENT_SOPS_KEYS=" + k.dir}
	files := tree(t, "testdata")
	for name, file := range map[string]struct {
		plain string
		flags []string
	}{
		"environment.yaml":     {"fromEnvironment: plain-environment\n", []string{"--age", k.age}},
		"file.yaml":            {"fromFile: plain-file\n", []string{"--pgp", k.pgp}},
		"partial.yaml":         {"open: seen\nfromPartial: plain-partial\n", []string{"--age", k.ssh, "--encrypted-regex", "^from"}},
		"template.yaml.gotmpl": {"fromTemplate: plain-{{ .Release.Name }}\n", []string{"--age", k.age, "--pgp", k.pgp}},
		"inline.yaml":          {"fromMap: plain-map\n", []string{"--age", k.ssh}},
		"reference.yaml":       {"deep: {key: plain-yaml}\n", []string{"--age", k.age}},
		"reference.json":       {`{"deep": {"key": "plain-json"}}`, []string{"--pgp", k.pgp}},
		"reference.env":        {"KEY=plain-env\n", []string{"--age", k.age}},
		"reference.ini":        {"[deep]\nkey = plain-ini\n", []string{"--age", k.age}},
		"reference.bin":        {"plain-bin\x01", []string{"--age", k.age}},
	} {
		files[name] = k.encrypts(t, name, file.plain, file.flags...)
	}
	files["helmfile.yaml.gotmpl"] = `
environments: {default: {secrets: [environment.yaml]}}
---
releases:
- name: web
  chart: charts/tiny
  values:
  - fromState: {{ .Values.fromEnvironment }}
    yaml: ref+sops://reference.yaml#/deep/key
    json: ref+sops://reference.json#/deep/key
    env: ref+sops://reference.env
    ini: ref+sops://reference.ini
    bin: ref+sops://reference.bin?encode=base64
    function: {{ fetchSecretValue "ref+sops://reference.yaml#/deep/key" }}
  secrets:
  - file.yaml
  - partial.yaml
  - template.yaml.gotmpl
  - {{ readFile "inline.yaml" | fromYaml | toJson }}
`
	u.converge("--repo", newRepository(t, files).url)
	want := `bin: cGxhaW4tYmluAQ==
color: blue
env: |
  KEY=plain-env
fromFile: plain-file
fromMap: plain-map
fromPartial: plain-partial
fromState: plain-environment
fromTemplate: plain-web
function: plain-yaml
ini: |
  [deep]
  key = plain-ini
json: plain-json
open: seen
size:
  height: 1
  width: 1
yaml: plain-yaml`
	if diff := cmp.Diff(want, configMaps(t, u.namespace)[0].Data["values.yaml"]); diff != "" {
		t.Errorf("the chart was given other values (-want +got):\n%s", diff)
	}
}

// TestMissingKey checks, for every source of secrets, that the message names the file, its recipients and the available keys. The exit code
// is the same in all cases, and nothing changes.
func TestMissingKey(t *testing.T) {
	t.Parallel()
	k, other := newKeyring(t), t.TempDir()
	atHand := mountAge(t, other, "other.agekey").Recipient().String()
	file := func(state string) files {
		return files{"secret.yaml": k.encrypts(t, "secret.yaml", "a: plain-secret\n", "--age", k.age, "--pgp", k.pgp), "helmfile.yaml.gotmpl": state}
	}
	for way, files := range map[string]files{
		"a release's secrets":      file("releases: [{name: web, chart: charts/tiny, secrets: [secret.yaml]}]\n"),
		"an environment's secrets": file("environments: {default: {secrets: [secret.yaml]}}\n---\nreleases: [{name: web, chart: charts/tiny}]\n"),
		"a reference":              file("releases: [{name: web, chart: charts/tiny, values: [{a: 'ref+sops://secret.yaml#/a'}]}]\n"),
		"a function":               file("releases: [{name: web, chart: charts/tiny, values: [{a: {{ fetchSecretValue \"ref+sops://secret.yaml#/a\" }} }]}]\n"),
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			u := newTenant(t)
			for name, content := range tree(t, "testdata") {
				files[name] = content
			}
			repo := newRepository(t, files)
			before := now(t)
			s, r := u.agent("run", "--repo", repo.url, "--sops-keys", other)
			if r.code != secretsUnreadable || s.Result != "secrets-unreadable" {
				t.Errorf("it ends with %s", r)
			}
			contains(t, s.Error, "secret.yaml: no available key opens it", "encrypted for "+k.age+": no available age key opens it",
				"encrypted for PGP "+k.pgp+": no PGP key is available", "available keys: "+atHand+" (other.agekey)")
			if strings.Contains(r.String(), "plain-secret") || strings.Contains(r.String(), "AGE-SECRET-KEY") {
				t.Errorf("a secret is shown: %s", r)
			}
			for _, request := range requests(t, before, u) {
				if request.Verb != "get" && request.Verb != "list" {
					t.Errorf("the run wrote: %s", request)
				}
			}
		})
	}
}

// TestHelmfileCannotReadKeys checks that a helmfile can use the keys, but cannot read them.
func TestHelmfileCannotReadKeys(t *testing.T) {
	t.Parallel()
	u, k := newTenant(t), newKeyring(t)
	path := filepath.Join(k.dir, "team.agekey")
	for way, state := range map[string]string{
		"readFile":      "releases: [{name: web, chart: charts/tiny, values: [{a: {{ readFile \"" + path + "\" | quote }} }]}]\n",
		"ref+file":      "releases: [{name: web, chart: charts/tiny, values: [{a: 'ref+file://" + path + "'}]}]\n",
		"a values file": "releases: [{name: web, chart: charts/tiny, values: [" + path + "]}]\n",
		"a set file":    "releases: [{name: web, chart: charts/tiny, set: [{name: a, file: " + path + "}]}]\n",
		"a link":        "releases: [{name: web, chart: charts/tiny, values: [{a: {{ readFile \"link\" | quote }} }]}]\n",
	} {
		files := tree(t, "testdata")
		files["helmfile.yaml.gotmpl"] = state
		dir := checkout(t, files)
		result, reason := "desired-invalid", "outside of the repository"
		if way == "a link" {
			check(t, os.Symlink(path, filepath.Join(dir, "link")))
			result, reason = "source-refused", "leads out of the checkout"
		}
		s, r := u.agent("diff", "--dir", dir, "--sops-keys", k.dir)
		if s.Result != result || !strings.Contains(s.Error, reason) {
			t.Errorf("%s ends with %s", way, r)
		}
		if strings.Contains(r.String(), "AGE-SECRET-KEY-") {
			t.Errorf("%s shows the key: %s", way, r)
		}
	}
}

// TestKeysAreMasked checks that a key is masked even if it was committed to the repository.
func TestKeysAreMasked(t *testing.T) {
	t.Parallel()
	u, k := newTenant(t), newKeyring(t)
	key := mountAge(t, k.dir, "committed.agekey").String()
	mount(t, k.dir, "sops.vault-token", "s.committed-token\n")
	mount(t, k.dir, "sops.aws-kms", "aws_access_key_id: AKIA\naws_secret_access_key: committed-aws-secret\n")
	files := tree(t, "testdata")
	files["helmfile.yaml"] = "releases: [{name: web, chart: charts/tiny, values: [{a: " + key + ", b: s.committed-token, c: committed-aws-secret, d: plain-passphrase}]}]\n"
	r := u.run("", "helmfile-agent", "diff", "--dir", checkout(t, files), "--namespace", u.namespace, "--sops-keys", k.dir)
	if r.code != 0 || !strings.Contains(r.stdout, "color: blue") {
		t.Fatalf("there is no diff: %s", r)
	}
	for _, private := range []string{key, "committed-token", "committed-aws-secret", "plain-passphrase"} {
		if strings.Contains(r.String(), private) {
			t.Errorf("%s is shown: %s", private, r)
		}
	}
}

// TestUnusableKeys checks that a run fails at the start if a key cannot be used.
func TestUnusableKeys(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	dir := t.TempDir()
	mount(t, dir, "team.agekey", "AGE-SECRET-KEY-1CUT")
	repo := newRepository(t, goodState)
	s, r := u.agent("run", "--repo", repo.url, "--sops-keys", dir)
	if s.Result != "secrets-unreadable" || !strings.Contains(s.Error, "team.agekey, line 1: it is not an age key") {
		t.Errorf("with a broken key: %s", r)
	}
	if strings.Contains(r.String(), "1CUT") {
		t.Errorf("the key is shown: %s", r)
	}
	if r := u.run("", "helmfile-agent", "run", "--repo", repo.url, "--sops-keys", filepath.Join(dir, "nowhere")); r.code != 10 || !strings.Contains(r.stderr, "--sops-keys") {
		t.Errorf("with a directory that is not there: %s", r)
	}
}

// TestCiphertextIsNeverDeployed checks that the agent refuses an encrypted file outside of secrets, because Helm would deploy the encrypted
// text.
func TestCiphertextIsNeverDeployed(t *testing.T) {
	t.Parallel()
	u, k := newTenant(t), newKeyring(t)
	whole := k.encrypts(t, "whole.yaml", "password: plain-secret\n", "--age", k.age)
	part := k.encrypts(t, "part.yaml", "open: seen\ndeep: [{password: plain-secret}]\n", "--age", k.age, "--encrypted-regex", "^password")
	const advice = " is still encrypted by sops, and the agent never deploys ciphertext: list the file under secrets instead of values"
	for way, test := range map[string]struct{ state, says string }{
		"a values file":           {"releases: [{name: web, chart: charts/tiny, values: [{color: red}, whole.yaml]}]\n", "helmfile.yaml.gotmpl: release web: whole.yaml" + advice},
		"a part of a values file": {"releases: [{name: web, chart: charts/tiny, values: [part.yaml]}]\n", "release web: part.yaml" + advice},
		"an inline value": {"releases: [{name: web, chart: charts/tiny, values: [{{ readFile \"part.yaml\" | fromYaml | toJson }}]}]\n",
			"release web: an inline value" + advice},
		"within another value": {"releases: [{name: web, chart: charts/tiny, values: [{url: 'https://ada:{{ (readFile \"whole.yaml\" | fromYaml).password }}@example.com'}]}]\n",
			"release web: an inline value" + advice},
		"a set value":           {"releases: [{name: web, chart: charts/tiny, set: [{name: a, value: '{{ (readFile \"whole.yaml\" | fromYaml).password }}'}]}]\n", "release web: a value" + advice},
		"an environment's file": {"environments: {default: {values: [part.yaml]}}\n---\nreleases: [{name: web, chart: charts/tiny}]\n", "environment default: a file of its values" + advice},
	} {
		t.Run(way, func(t *testing.T) {
			files := tree(t, "testdata")
			files["whole.yaml"], files["part.yaml"], files["helmfile.yaml.gotmpl"] = whole, part, test.state
			s, r := u.agent("run", "--repo", newRepository(t, files).url, "--sops-keys", k.dir)
			if s.Result != "desired-invalid" || !strings.Contains(s.Error, test.says) {
				t.Errorf("it ends with %s", r)
			}
		})
	}
	if got := configMaps(t, u.namespace); len(got) != 0 {
		t.Errorf("something was deployed: %v", got)
	}
}

// TestRotation checks that a file encrypted for other keys causes no new revision, and that a changed content does.
func TestRotation(t *testing.T) {
	t.Parallel()
	u, k := newTenant(t), newKeyring(t)
	files := tree(t, "testdata")
	files["secret.yaml"] = k.encrypts(t, "secret.yaml", "password: plain-secret\n", "--age", k.age)
	files["environment.yaml"] = k.encrypts(t, "environment.yaml", "fromEnvironment: plain-environment\n", "--age", k.age)
	files["helmfile.yaml.gotmpl"] = `
environments: {default: {secrets: [environment.yaml]}}
---
releases: [{name: web, chart: charts/tiny, values: [{a: {{ .Values.fromEnvironment }} }], secrets: [secret.yaml]}]
`
	repo := newRepository(t, files)
	u.converge("--repo", repo.url, "--sops-keys", k.dir)

	t.Log("for other recipients, and read with another key")
	next := t.TempDir()
	recipient := mountAge(t, next, "next.agekey").Recipient().String()
	files["secret.yaml"] = k.encrypts(t, "secret.yaml", "password: plain-secret\n", "--age", recipient, "--pgp", k.pgp)
	files["environment.yaml"] = k.encrypts(t, "environment.yaml", "fromEnvironment: plain-environment\n", "--age", recipient)
	repo.commit(t, files, "rotate the keys")
	rotated := story{tenant: u, t: t, repo: repo, flags: []string{"--sops-keys", next}}
	rotated.run().shows(converged, "web unchanged").writes("")

	t.Log("with another content")
	files["secret.yaml"] = k.encrypts(t, "secret.yaml", "password: plain-changed\n", "--age", recipient)
	repo.commit(t, files, "another password")
	if got := u.converge("--repo", repo.url, "--sops-keys", next).actions(); !cmp.Equal(got, []string{"web upgrade done 2"}) {
		t.Errorf("another content: %v", got)
	}
	contains(t, configMaps(t, u.namespace)[0].Data["values.yaml"], "password: plain-changed")
}
