package sandbox

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRoots(t *testing.T) {
	base := t.TempDir()
	for _, dir := range []string{"checkout/sub", "workspace", "outside"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"checkout/out": "../outside", "checkout/in": "sub", "checkout/dangling": "/nowhere", "alias": "checkout"} {
		if err := os.Symlink(target, filepath.Join(base, link)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(base, "checkout"))
	roots := Roots{filepath.Join(base, "alias"), filepath.Join(base, "workspace")}
	for path, want := range map[string]bool{
		".": true, "sub": true, "sub/not/there": true, "in/x": true, filepath.Join(base, "workspace", "x"): true, filepath.Join(base, "alias", "sub"): true,
		"..": false, "../outside": false, "out": false, "out/x": false, "out/not/there": false, "sub/../../outside": false,
		"/etc/passwd": false, filepath.Join(base, "checkout-2"): false, "/": false, "in/../../outside": false,
	} {
		if err := roots.Check(path); (err == nil) != want {
			t.Errorf("%s: got %v", path, err)
		}
	}
	if err := (Roots{}).Check("/etc/passwd"); err != nil {
		t.Errorf("an empty list must allow all paths, but: %v", err)
	}
	t.Setenv(RootsVariable, roots.String())
	if got := RootsFromEnvironment(); len(got) != 2 || got.Check("..") == nil {
		t.Errorf("got %v", got)
	}
}
