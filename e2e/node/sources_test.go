//go:build linux

package node

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	core "k8s.io/api/core/v1"

	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// TestSources checks the chart's values for repositories and registries outside of the cluster. All other tests use private HTTPS.
func TestSources(t *testing.T) {
	t.Parallel()
	for title, tell := range map[string]func(*testNamespace){
		"a repository over SSH":                           overSSH,
		"a host key that is not the known one is refused": imposter,
		"an authority that is not known is refused":       unknownAuthority,
		"charts from a private registry over TLS":         fromRegistry,
		"secrets that a key in a Secret opens":            decrypts,
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			tell(newTestNamespace(t))
		})
	}
}

// ssh creates the Secret for a repository over SSH, and returns the values for it.
func ssh(p *testNamespace, knownHosts string) values {
	p.t.Helper()
	p.secret("ssh", core.SecretTypeOpaque, map[string]string{"identity": string(outside.ssh.ClientKey), "known_hosts": knownHosts})
	return values{"config": values{"repo": outside.ssh.RepoURL(p.name)}, "git": values{"existingSecret": "ssh", "caKey": ""}}
}

func overSSH(p *testNamespace) {
	p.declares(web)
	a := p.install("gitops", ssh(p, outside.ssh.KnownHosts))
	a.converges("run")
	a.has("web 1")
}

func imposter(p *testNamespace) {
	other, err := servers.NewGitSSH(outside.root)
	p.must(err)
	p.t.Cleanup(other.Close)
	key := strings.Fields(other.KnownHosts)[1:]
	line := strings.Fields(outside.ssh.KnownHosts)[0] + " " + strings.Join(key, " ")
	p.declares(web)
	a := p.install("gitops", ssh(p, line))
	if o := a.run("run"); o.String() != notRetried+" [12]" || !strings.Contains(o.message, "another key") {
		p.t.Errorf("%s: %s", o, o.message)
	}
}

func unknownAuthority(p *testNamespace) {
	p.declares(web)
	a := p.install("gitops", values{"git": values{"caKey": ""}})
	if o := a.run("run"); !strings.Contains(o.message, "certificate") || o.condition == "Complete" {
		p.t.Errorf("%s: %s", o, o.message)
	}
}

func fromRegistry(p *testNamespace) {
	ref, _, err := outside.registry.PushChart(writeChart(p.t))
	p.must(err)
	p.commit(map[string]string{"helmfile.yaml": fmt.Sprintf(`repositories:
- {name: private, url: %s, oci: true, caFile: /usr/local/share/ca-certificates/ca.crt}
releases:
- {name: web, chart: private/small, version: 1.0.0}
`, strings.TrimSuffix(strings.TrimPrefix(ref, "oci://"), "/small"))}, "a chart from the registry")
	p.mayPull()
	a := p.install("gitops", values{
		"registry":          values{"existingSecret": "registry"},
		"extraVolumes":      []values{{"name": "authority", "configMap": values{"name": "registry"}}},
		"extraVolumeMounts": []values{{"name": "authority", "mountPath": "/usr/local/share/ca-certificates", "readOnly": true}},
	})
	a.converges("run")
	a.has("web 1")
}

// login returns the file that `docker login` writes.
func login(t *testing.T, host string) string {
	t.Helper()
	auth := base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
	content, err := json.Marshal(values{"auths": values{host: values{"auth": auth}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// writeChart writes the small chart to a directory.
func writeChart(t *testing.T) (directory string) {
	t.Helper()
	directory = t.TempDir()
	for name, content := range smallChart {
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(directory, "chart")
}

// decrypts commits a secret that only the key in the chart's Secret can decrypt.
func decrypts(p *testNamespace) {
	key, err := age.GenerateX25519Identity()
	p.must(err)
	p.secret("keys", core.SecretTypeOpaque, map[string]string{"age.agekey": key.String() + "\n"})
	p.declares("- {name: web, chart: ./chart, secrets: [secret.yaml]}\n")
	p.commit(map[string]string{"secret.yaml": encrypt(p.t, key.Recipient().String(), "color: mauve\n")}, "a secret")
	a := p.install("gitops", values{"sops": values{"existingSecret": "keys"}})
	a.converges("run")
	if got := p.color("web"); got != "mauve" {
		p.t.Errorf("web is %s", got)
	}
}

// encrypt returns the output of `sops encrypt`.
func encrypt(t *testing.T, recipient, plain string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(binaries, "sops"), "encrypt", "--age", recipient, "--filename-override", "secret.yaml", "/dev/stdin")
	cmd.Stdin = strings.NewReader(plain)
	encrypted, err := cmd.Output()
	if err != nil {
		t.Fatalf("sops encrypt: %v", err)
	}
	return string(encrypted)
}
