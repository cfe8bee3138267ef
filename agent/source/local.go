package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// CopyLocal copies a directory into another one, which must not exist, and returns the copy. It does not write to the original. It refuses
// links that lead out of the directory, as Clone does. The revision is that of the git work tree that contains the directory. It is dirty if
// a file in the work tree differs from the commit or is not tracked. It is empty if there is no work tree, or if go-git cannot read it.
func CopyLocal(dir, into string, allowed Limits) (Checkout, error) {
	absolute, err := filepath.Abs(dir)
	if err == nil {
		err = isDirectory(absolute)
	}
	if err != nil {
		return Checkout{}, exit.With(exit.ConfigInvalid, fmt.Errorf("read %s: %w", dir, err))
	}
	if err := checkLocalLinks(absolute, allowed); err != nil {
		return Checkout{}, fmt.Errorf("read %s: %w", absolute, err)
	}
	if err := copyTree(absolute, into, allowed); err != nil {
		return Checkout{}, fmt.Errorf("read %s: %w", absolute, err)
	}
	revision, err := localRevision(absolute)
	if err != nil {
		// The revision is only shown to people, so the run does not need it. For example, go-git does not know every format of a
		// repository.
		revision = Revision{}
	}
	return Checkout{Dir: into, Revision: revision}, nil
}

func isDirectory(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return errors.New("it is not a directory")
	}
	return err
}

func checkLocalLinks(dir string, allowed Limits) error {
	links, err := findLinks(dir, allowed.Files)
	if err != nil {
		return err
	}
	return checkLinks(dir, links)
}

func localRevision(dir string) (Revision, error) {
	repo, err := git.PlainOpenWithOptions(dir, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if err != nil {
		return Revision{}, err
	}
	head, err := repo.Head()
	if err != nil {
		return Revision{}, err
	}
	revision, err := describe(repo, head.Hash(), remoteURL(repo), branch(head))
	if err != nil {
		return Revision{}, err
	}
	revision.Dirty, err = isDirty(repo)
	return revision, err
}

// remoteURL returns the URL of git's remote "origin" without credentials, or an empty string if there is none.
func remoteURL(repo *git.Repository) string {
	remote, err := repo.Remote(git.DefaultRemoteName)
	if err != nil || len(remote.Config().URLs) == 0 {
		return "" // a repository may have no remote
	}
	url, _, _ := config.SplitRepo(remote.Config().URLs[0])
	return url
}

// branch returns the name of the current branch, or an empty string if HEAD is detached.
func branch(head *plumbing.Reference) string {
	if !head.Name().IsBranch() {
		return ""
	}
	return head.Name().Short()
}

func isDirty(repo *git.Repository) (bool, error) {
	tree, err := repo.Worktree()
	if err != nil {
		return false, err
	}
	status, err := tree.Status()
	return err == nil && !status.IsClean(), err
}
