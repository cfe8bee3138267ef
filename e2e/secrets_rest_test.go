package e2e

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPlaintextAtRest checks the temporary directory during a run, when the secrets of one release are decrypted and another release waits
// for a secret store that does not answer. It checks it again after the run was stopped.
func TestPlaintextAtRest(t *testing.T) {
	t.Parallel()
	u, k := newTenant(t), newKeyring(t)
	temp := inMemory(t)
	requests := make(chan struct{}, 100)
	stop := make(chan struct{})
	store := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		requests <- struct{}{}
		<-stop
	}))
	t.Cleanup(store.Close)
	t.Cleanup(func() { close(stop) })

	files := tree(t, "testdata")
	files["secret.yaml"] = k.encrypts(t, "secret.yaml", "password: plain-at-rest\n", "--age", k.age)
	files["template.yaml.gotmpl"] = k.encrypts(t, "template.yaml.gotmpl", "rendered: plain-at-rest-{{ .Release.Name }}\n", "--age", k.age)
	files["environment.yaml"] = k.encrypts(t, "environment.yaml", "fromEnvironment: plain-at-rest\n", "--age", k.age)
	files["helmfile.yaml.gotmpl"] = `
environments: {default: {secrets: [environment.yaml]}}
---
releases:
- {name: a, chart: charts/tiny, values: [{b: {{ .Values.fromEnvironment }} }], secrets: [secret.yaml, template.yaml.gotmpl]}
- {name: b, chart: charts/tiny, values: [{a: 'ref+vault://secret/b#/a'}], needs: [a]}
`
	cmd := exec.CommandContext(t.Context(), filepath.Join(binaries, "helmfile-agent"), "run", "--namespace", u.namespace,
		"--repo", newRepository(t, files).url, "--sops-keys", k.dir, "--concurrency", "1")
	cmd.Env = append(u.environment(), "TMPDIR="+temp, "VAULT_ADDR="+store.URL, "VAULT_TOKEN=s.token",
		"HELMFILE_AGENT_TEMPLATE_ENV=VAULT_ADDR,VAULT_TOKEN", "HELMFILE_AGENT_ALLOW_REMOTE="+strings.TrimPrefix(store.URL, "http://"))
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	check(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-requests:
	case err := <-ended:
		t.Fatalf("it did not wait for the secret store: %v, %s", err, output.String())
	}
	found := plaintexts(t, temp, "plain-at-rest")
	check(t, cmd.Process.Signal(syscall.SIGTERM))
	t.Log("it ended:", <-ended)
	if found == 0 {
		t.Error("there was no plaintext during the run, so the test proves nothing")
	}
	if code := cmd.ProcessState.ExitCode(); code != 143 {
		t.Errorf("it ended with %d: %s", code, output.String())
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// plaintexts counts the files that contain the text. It fails the test if another user can read a file.
func plaintexts(t *testing.T, dir, text string) int {
	t.Helper()
	found := 0
	check(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) || path == dir || entry.Type() == fs.ModeSymlink {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil //nolint:nilerr // the file is deleted in the meantime
		}
		// The checkout is not secret. It is in a directory that other users cannot read.
		if mode := info.Mode().Perm(); mode&0o077 != 0 && !strings.Contains(path, "/checkout") {
			t.Errorf("%s has the mode %o", strings.TrimPrefix(path, dir), mode)
		}
		if content, err := os.ReadFile(path); err == nil && strings.Contains(string(content), text) {
			if info.Mode().Perm() != 0o600 {
				t.Errorf("the plaintext %s has the mode %o", path, info.Mode().Perm())
			}
			found++
		}
		return nil
	}))
	return found
}

// inMemory returns a directory in memory, as in the container.
func inMemory(t *testing.T) string {
	t.Helper()
	dir := must(os.MkdirTemp("/dev/shm", "e2e-"))(t)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestDiskWarning checks that the agent warns if the temporary directory is on a disk, because deleted plaintext can be recovered there.
func TestDiskWarning(t *testing.T) {
	t.Parallel()
	u, k := newTenant(t), newKeyring(t)
	files := tree(t, "testdata")
	files["secret.yaml"] = k.encrypts(t, "secret.yaml", "password: plain-secret\n", "--age", k.age)
	files["helmfile.yaml"] = "releases: [{name: a, chart: charts/tiny, secrets: [secret.yaml]}, {name: b, chart: charts/tiny, secrets: [secret.yaml]}]\n"
	dir := checkout(t, files)
	u.env = []string{"TMPDIR=" + inMemory(t)}
	if _, r := u.agent("diff", "--dir", dir, "--sops-keys", k.dir); r.code != 0 || r.stderr != "" {
		t.Errorf("in memory: %s", r)
	}
	u.env = []string{"TMPDIR=" + t.TempDir()}
	const warning = "secrets are decrypted into a directory on a disk"
	if _, r := u.agent("diff", "--dir", dir, "--sops-keys", k.dir); r.code != 0 || strings.Count(r.stderr, warning) != 1 {
		t.Errorf("on a disk: %s", r)
	}
	files["helmfile.yaml"] = "releases: [{name: a, chart: charts/tiny}]\n"
	if _, r := u.agent("diff", "--dir", checkout(t, files), "--sops-keys", k.dir); r.code != 0 || r.stderr != "" {
		t.Errorf("without secrets: %s", r)
	}
}
