package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// checkout writes files into a new directory and makes it the working directory.
func checkout(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Chdir(dir)
	for name, content := range files {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// outside returns a file outside of the checkout.
func outside(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// contains says whether an error contains a text. Without an error, only the empty text is contained.
func contains(err error, text string) bool {
	if err == nil || text == "" {
		return err == nil && text == ""
	}
	return strings.Contains(err.Error(), text)
}

func TestReadFile(t *testing.T) {
	dir := checkout(t, map[string]string{
		"values.yaml": "a: 1\n", "apps/helmfile.yaml": "releases: []\nhelmBinary: ./x\n", "run.yaml.gotmpl": "a: {{ exec \"date\" list }}\n",
	})
	file := outside(t)
	for link, target := range map[string]string{"link": file, "inner": "values.yaml"} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(syscall.Mkfifo("pipe", 0o600), os.WriteFile("large", nil, 0o600), os.Truncate("large", maxFile+1)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ path, want string }{
		"a relative path":                    {"values.yaml", ""},
		"an absolute path":                   {filepath.Join(dir, "values.yaml"), ""},
		"a link to a file of the repository": {"inner", ""},
		"a file outside":                     {file, "is outside of the repository"},
		"a relative path to a file outside":  {"../" + filepath.Base(filepath.Dir(file)) + "/../../../../../../etc/passwd", "is outside of the repository"},
		"a link to a file outside":           {"link", "is outside of the repository"},
		"a device":                           {"/dev/zero", "is outside of the repository"},
		"a pipe":                             {"pipe", "pipe is neither a regular file nor a directory"},
		"a file that is too large":           {"large", "large has 67108865 bytes, but a helmfile may only read files of up to 67108864 bytes"},
		"a missing file":                     {"missing.yaml", "no such file or directory"},
		"a directory":                        {"apps", "is a directory"},
		"a state file that names a binary":   {"apps/helmfile.yaml", "apps/helmfile.yaml:2: helmBinary is not supported"},
		"a template that runs a command":     {"run.yaml.gotmpl", "run.yaml.gotmpl:1: the template function exec is not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			var read []string
			r := NewRepository(sandbox.Roots{dir}, func(path string) { read = append(read, path) })
			content, err := r.ReadFile(test.path)
			if !contains(err, test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if err != nil && (content != nil || read != nil || r.LastRead(filepath.Base(test.path)) != "") {
				t.Errorf("the file was refused, but its content was used: %q, %v", content, read)
			}
			if err == nil && (string(content) != "a: 1\n" || len(read) != 1 || read[0] != test.path) {
				t.Errorf("got %q, and onRead got %v", content, read)
			}
		})
	}
}

func TestLastRead(t *testing.T) {
	dir := checkout(t, map[string]string{"helmfile.yaml": "a: 1\n", "apps/helmfile.yaml": "b: 2\n"})
	r := NewRepository(sandbox.Roots{dir}, func(string) {})
	var got []string
	for _, path := range []string{"helmfile.yaml", "apps/helmfile.yaml", filepath.Join(dir, "helmfile.yaml")} {
		if _, err := r.ReadFile(path); err != nil {
			t.Fatal(err)
		}
		got = append(got, r.LastRead("helmfile.yaml"))
	}
	got = append(got, r.LastRead("other.yaml"))
	if diff := cmp.Diff([]string{"a: 1\n", "b: 2\n", "a: 1\n", ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFileSystemHidesFilesOutside checks each function that helmfile and its templates use. For a path outside, a file does not exist.
func TestFileSystemHidesFilesOutside(t *testing.T) {
	dir := checkout(t, map[string]string{"apps/values.yaml": "a: 1\n"})
	file := outside(t)
	system := NewRepository(sandbox.Roots{dir}, func(string) {}).FileSystem()
	for _, test := range []struct {
		file, dir string
		visible   bool
	}{{"apps/values.yaml", "apps", true}, {file, filepath.Dir(file), false}} {
		content, err := system.ReadFile(test.file)
		if (err == nil) != test.visible || (content != nil) != test.visible {
			t.Errorf("ReadFile %s: got %q, %v", test.file, content, err)
		}
		entries, err := system.ReadDir(test.dir)
		if (err == nil) != test.visible || (len(entries) == 1) != test.visible {
			t.Errorf("ReadDir %s: got %v, %v", test.dir, entries, err)
		}
		info, err := system.Stat(test.file)
		if (err == nil) != test.visible || (info != nil) != test.visible || !test.visible && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat %s: got %v, %v", test.file, info, err)
		}
		if exists, err := system.FileExists(test.file); exists != test.visible || err != nil {
			t.Errorf("FileExists %s: got %t, %v", test.file, exists, err)
		}
		if exists := system.FileExistsAt(test.file); exists != test.visible {
			t.Errorf("FileExistsAt %s: got %t", test.file, exists)
		}
		if exists := system.DirectoryExistsAt(test.dir); exists != test.visible {
			t.Errorf("DirectoryExistsAt %s: got %t", test.dir, exists)
		}
	}
}
