package secrets

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getsops/sops/v3/cmd/sops/formats"
)

func TestAHiddenKeyStillDecrypts(t *testing.T) {
	identity, other := newIdentity(t), newIdentity(t)
	path := write(t, "secrets.yaml", encrypted(t, identity, formats.Yaml, "password: hunter2\n"))
	t.Setenv("SOPS_AGE_KEY_CMD", "touch /tmp/ran")
	t.Setenv("SOPS_AGE_KEY", "# of the team\n"+other.String()+" "+identity.String()+"\n")
	t.Setenv("SOPS_GPG_EXEC", "touch")
	keys := taken(t, "")
	for _, name := range []string{"SOPS_AGE_KEY", "SOPS_AGE_KEY_CMD", "SOPS_GPG_EXEC"} {
		if value, set := os.LookupEnv(name); set {
			t.Errorf("%s is still %q", name, value)
		}
	}
	if initial, err := os.ReadFile("/proc/self/environ"); err == nil && len(bytes.Trim(initial, "\x00")) > 0 {
		t.Error("the environment that the process was started with can still be read")
	}
	if os.Getenv("PATH") == "" {
		t.Error("the other variables are gone")
	}
	if plain, err := keys.DecryptFile(path); err != nil || string(plain) != "password: hunter2\n" {
		t.Errorf("got %q, %v", plain, err)
	}
}

func TestAHiddenKeyThatDoesNotServeLeavesTheKeyFiles(t *testing.T) {
	identity, other := newIdentity(t), newIdentity(t)
	path := write(t, "secrets.yaml", encrypted(t, identity, formats.Yaml, "password: hunter2\n"))
	t.Setenv("SOPS_AGE_KEY", other.String())
	keys := taken(t, "")
	if _, err := keys.DecryptFile(path); err == nil || !strings.Contains(err.Error(), errNoAge.Error()) {
		t.Errorf("got %v", err)
	}
	t.Setenv("SOPS_AGE_KEY_FILE", write(t, "keys.txt", identity.String()))
	if _, err := keys.DecryptFile(path); err != nil {
		t.Error(err)
	}
}

func TestAParentDecryptsForItsChildren(t *testing.T) {
	identity := newIdentity(t)
	t.Chdir(t.TempDir())
	t.Setenv("SOPS_AGE_KEY", identity.String())
	t.Setenv(ServedIn, "")
	path := write(t, "secrets.yaml", encrypted(t, identity, formats.Yaml, "password: hunter2\n"))
	deep := filepath.Join(t.TempDir(), strings.Repeat("long/", 40)) // no socket can have such a path
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	learnt := map[string]string{}
	server, err := taken(t, "").Serve(deep, func(path string, plain []byte) { learnt[path] = string(plain) })
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()

	t.Chdir(filepath.Dir(path))
	plain, err := Ask("secrets.yaml")
	if err != nil || string(plain) != "password: hunter2\n" || learnt[path] != string(plain) {
		t.Errorf("got %q, %v; learnt %q", plain, err, learnt)
	}
	t.Chdir(filepath.Dir(path))
	if _, err := Ask("none.yaml"); err == nil || !strings.HasPrefix(err.Error(), Unreadable+" ") {
		t.Errorf("of a file that is not there it says %v", err)
	}
}
