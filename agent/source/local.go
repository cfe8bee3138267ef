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

// Local copies a directory as it is into another one, which must not exist. Its revision is that of the git work tree it lies in, dirty if anything there differs
// from the commit or is not tracked; it is empty outside of one, and in one that go-git cannot read. The directory itself is not
// written to. Links that lead out of the directory are refused, as in a clone.
func Local(dir, into string, limits Limits) (Checkout, error) {
	absolute, err := filepath.Abs(dir)
	if err == nil {
		err = isDirectory(absolute)
	}
	if err != nil {
		return Checkout{}, exit.With(exit.ConfigInvalid, fmt.Errorf("read %s: %w", dir, err))
	}
	if err := checkLocalLinks(absolute, limits); err != nil {
		return Checkout{}, fmt.Errorf("read %s: %w", absolute, err)
	}
	if err := copyTree(absolute, into, limits); err != nil {
		return Checkout{}, fmt.Errorf("read %s: %w", absolute, err)
	}
	revision, err := localRevision(absolute)
	if err != nil {
		// The revision only tells people what they look at. The files can be read without it, for example where git
		// keeps the repository in a format that go-git does not know.
		revision = Revision{}
	}
	return Checkout{Dir: into, Revision: revision}, nil
}

func isDirectory(path string) error {
	found, err := os.Stat(path)
	if err == nil && !found.IsDir() {
		return errors.New("it is not a directory")
	}
	return err
}

func checkLocalLinks(dir string, limits Limits) error {
	links, err := limits.findLinks(dir)
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
	revision, err := describe(repo, head.Hash(), origin(repo), branch(head))
	if err != nil {
		return Revision{}, err
	}
	revision.Dirty, err = dirty(repo)
	return revision, err
}

// origin is where the repository was cloned from, without credentials, or empty.
func origin(repo *git.Repository) string {
	remote, err := repo.Remote(git.DefaultRemoteName)
	if err != nil || len(remote.Config().URLs) == 0 {
		return "" // a repository need not have one
	}
	clean, _, _ := config.SplitRepo(remote.Config().URLs[0])
	return clean
}

// branch is the short name, or empty where HEAD is detached.
func branch(head *plumbing.Reference) string {
	if !head.Name().IsBranch() {
		return ""
	}
	return head.Name().Short()
}

func dirty(repo *git.Repository) (bool, error) {
	tree, err := repo.Worktree()
	if err != nil {
		return false, err
	}
	status, err := tree.Status()
	return err == nil && !status.IsClean(), err
}
