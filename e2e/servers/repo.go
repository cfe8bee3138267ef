package servers

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Deleted is the content of a file or directory that the commit deletes.
const Deleted = "\x00deleted"

// DefaultBranch is the branch of a new repository.
const DefaultBranch = "main"

// Repo is a bare git repository which the git servers of the same root serve.
type Repo struct {
	Dir    string // the bare repository
	Author string // the author of the next commits, as "Name <mail>"
	branch string
}

// NewRepo creates an empty repository below the root. The name is its path in a URL, such as "tenant/config.git".
func NewRepo(root, name string) (*Repo, error) {
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("make repository %q: the name leads out of the root", name)
	}
	dir := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make repository %s: %w", name, err)
	}
	if _, err := git(dir, nil, "init", "--quiet", "--bare", "--initial-branch="+DefaultBranch); err != nil {
		return nil, fmt.Errorf("make repository %s: %w", name, err)
	}
	return &Repo{Dir: dir, Author: "Ada Lovelace <ada@example.com>", branch: DefaultBranch}, nil
}

// Run runs git in the repository, without the configuration of the user and of the machine.
func (r *Repo) Run(args ...string) (string, error) {
	return git(r.Dir, nil, args...)
}

// Commit adds a commit to the current branch, and returns its hash. The files are added to those of the previous commit or replace them; the
// content Deleted removes a file. A content that starts with "#!" is executable.
func (r *Repo) Commit(files map[string]string, message string) (sha string, err error) {
	stream, err := r.commitStream(files, message)
	if err != nil {
		return "", fmt.Errorf("commit %q: %w", message, err)
	}
	if _, err := git(r.Dir, stream, "fast-import", "--quiet", "--date-format=now"); err != nil {
		return "", fmt.Errorf("commit %q: %w", message, err)
	}
	return r.Head()
}

// Head returns the hash of the current branch's last commit.
func (r *Repo) Head() (string, error) {
	return r.Run("rev-parse", "--verify", "refs/heads/"+r.branch)
}

// Switch switches to a branch. A new branch starts at the last commit of the previous one.
func (r *Repo) Switch(branch string) error {
	if !r.exists(branch) && r.exists(r.branch) {
		if _, err := r.Run("branch", branch, r.branch); err != nil {
			return fmt.Errorf("switch to branch %s: %w", branch, err)
		}
	}
	r.branch = branch
	return nil
}

// Reset moves the current branch to a revision, like a forced push.
func (r *Repo) Reset(revision string) error {
	sha, err := r.Run("rev-parse", "--verify", revision+"^{commit}")
	if err == nil {
		_, err = r.Run("update-ref", "refs/heads/"+r.branch, sha)
	}
	if err != nil {
		return fmt.Errorf("reset branch %s: %w", r.branch, err)
	}
	return nil
}

// Tag tags the current branch's last commit: annotated if there is a message, lightweight if there is none.
func (r *Repo) Tag(name, message string) error {
	stream, err := r.tagStream(name, message)
	if err == nil {
		_, err = git(r.Dir, stream, "fast-import", "--quiet", "--force", "--date-format=now")
	}
	if err != nil {
		return fmt.Errorf("tag %s: %w", name, err)
	}
	return nil
}

// Tree reads a whole directory for Commit, with a prefix that may be empty. Use os.DirFS for a directory on disk.
func Tree(tree fs.FS, prefix string) (map[string]string, error) {
	files := map[string]string{}
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(tree, name)
		files[path.Join(prefix, name)] = string(content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read a directory to commit: %w", err)
	}
	return files, nil
}

func (r *Repo) exists(branch string) bool {
	_, err := r.Run("rev-parse", "--verify", "--quiet", "refs/heads/"+branch)
	return err == nil
}

// commitStream returns the commit in the format of git fast-import, which needs no working tree and no index.
func (r *Repo) commitStream(files map[string]string, message string) (*bytes.Buffer, error) {
	stream := &bytes.Buffer{}
	fmt.Fprintf(stream, "commit refs/heads/%s\n", r.branch)
	fmt.Fprintf(stream, "author %s now\ncommitter %s now\n", r.Author, r.Author)
	writeData(stream, message)
	if r.exists(r.branch) {
		fmt.Fprintf(stream, "from refs/heads/%s^0\n", r.branch)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := checkPath(name); err != nil {
			return nil, err
		}
		writeChange(stream, name, files[name])
	}
	return stream, nil
}

func (r *Repo) tagStream(name, message string) (*bytes.Buffer, error) {
	head, err := r.Head()
	if err != nil {
		return nil, err
	}
	stream := &bytes.Buffer{}
	if message == "" {
		fmt.Fprintf(stream, "reset refs/tags/%s\nfrom %s\n", name, head)
		return stream, nil
	}
	fmt.Fprintf(stream, "tag %s\nfrom %s\ntagger %s now\n", name, head, r.Author)
	writeData(stream, message)
	return stream, nil
}

// checkPath refuses paths with a special meaning in the stream, and paths that git would not check out.
func checkPath(name string) error {
	if !filepath.IsLocal(name) || path.Clean(name) != name {
		return fmt.Errorf("file %q: want a clean path within the repository", name)
	}
	if strings.HasPrefix(name, `"`) || strings.ContainsAny(name, "\n\x00") {
		return errors.New("a file name with a quote in front or with a line break is not supported")
	}
	return nil
}

func writeChange(stream *bytes.Buffer, name, content string) {
	if content == Deleted {
		fmt.Fprintf(stream, "D %s\n", name)
		return
	}
	mode := "100644"
	if strings.HasPrefix(content, "#!") {
		mode = "100755"
	}
	fmt.Fprintf(stream, "M %s inline %s\n", mode, name)
	writeData(stream, content)
}

func writeData(stream *bytes.Buffer, content string) {
	fmt.Fprintf(stream, "data %d\n%s\n", len(content), content)
}
