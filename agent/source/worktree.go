package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/source/limits"
)

// worktree is the file system that go-git writes a checkout to. It removes the execute bits of files. It records symbolic links, which are
// checked when all files are written.
type worktree struct {
	billy.Filesystem
	links *[]string
}

// OpenFile implements billy.Filesystem.
func (w worktree) OpenFile(name string, flag int, mode os.FileMode) (billy.File, error) {
	return w.Filesystem.OpenFile(name, flag, mode&^0o111)
}

// Symlink implements billy.Filesystem. It refuses absolute targets, because billy would change them.
func (w worktree) Symlink(target, link string) error {
	if filepath.IsAbs(target) {
		return leadsOut(link, target)
	}
	*w.links = append(*w.links, link)
	return w.Filesystem.Symlink(target, link)
}

// checkTree refuses a commit with too many or too large files. It does so before go-git lists all files in memory.
func checkTree(repo *git.Repository, commit plumbing.Hash, allowed Limits) error {
	c, err := repo.CommitObject(commit)
	if err != nil {
		return err
	}
	tree, err := c.Tree()
	if err != nil {
		return err
	}
	entries := object.NewTreeWalker(tree, true, nil)
	defer entries.Close()
	var size int64
	for count := 0; ; count++ {
		_, entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if count >= allowed.Files {
			return limits.TooManyFiles(fmt.Sprintf("the checkout has at least %d files and directories", count+1), allowed.Files)
		}
		if size, err = addSize(repo, size, entry, allowed.Size); err != nil {
			return err
		}
	}
}

// addSize adds the size of an entry, and refuses a sum above the limit.
func addSize(repo *git.Repository, size int64, entry object.TreeEntry, limit int64) (int64, error) {
	if entry.Mode == filemode.Dir || entry.Mode == filemode.Submodule {
		return size, nil
	}
	more, err := repo.Storer.EncodedObjectSize(entry.Hash)
	if err != nil {
		return size, err
	}
	if size += more; size > limit {
		return size, limits.TooLarge(fmt.Sprintf("the files of the checkout have at least %d bytes", size), limit, limits.MaxSize)
	}
	return size, nil
}

// checkLinks refuses links that lead out of dir.
func checkLinks(dir string, links []string) error {
	if len(links) == 0 {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return diskError{err}
	}
	defer root.Close()
	for _, link := range links {
		if err := checkLink(root, link); err != nil {
			return err
		}
	}
	return nil
}

// checkLink follows a link, but not out of root. A link to a missing file is harmless. All other errors refuse the link: it leads out of
// root, or its chain of links is longer than Go follows.
func checkLink(root *os.Root, link string) error {
	_, err := root.Stat(link)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	target, readErr := root.Readlink(link)
	if readErr != nil {
		return diskError{readErr}
	}
	if errors.Is(err, syscall.ELOOP) {
		return exit.With(exit.SourceRefused, fmt.Errorf("the symbolic link %s → %s leads through too many other links: "+
			"link directly to a file of the repository", link, target))
	}
	return leadsOut(link, target)
}

func leadsOut(link, target string) error {
	return exit.With(exit.SourceRefused, fmt.Errorf("the symbolic link %s → %s leads out of the checkout: "+
		"replace it with a copy of the file, or with a relative link to a file in the checkout", link, target))
}

// findLinks returns all symbolic links below dir, except those in .git.
func findLinks(dir string, maxFiles int) ([]string, error) {
	var links []string
	count := 0
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return exit.With(exit.ConfigInvalid, err)
		case entry.IsDir() && entry.Name() == git.GitDirName:
			return fs.SkipDir
		case entry.Type()&fs.ModeSymlink != 0:
			links = append(links, path)
		}
		if count++; count > maxFiles {
			return limits.TooManyFiles(fmt.Sprintf("the directory has at least %d files and directories", count), maxFiles)
		}
		return nil
	})
	return links, err
}
