package source

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// peel returns the commit that a ref points to. It follows annotated tags, also tags of tags.
func peel(repo *git.Repository, name plumbing.ReferenceName) (plumbing.Hash, error) {
	ref, err := repo.Reference(name, true)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	hash := ref.Hash()
	for {
		tag, err := repo.TagObject(hash)
		if errors.Is(err, plumbing.ErrObjectNotFound) {
			return checkCommit(repo, hash)
		}
		if err != nil {
			return plumbing.ZeroHash, fmt.Errorf("read tag %s: %w", hash, err)
		}
		hash = tag.Target
	}
}

// checkCommit returns an error if the object is not a commit. A tag may also point to a file or a tree.
func checkCommit(repo *git.Repository, hash plumbing.Hash) (plumbing.Hash, error) {
	if _, err := repo.CommitObject(hash); err != nil {
		return hash, exit.With(exit.SourceRefused, fmt.Errorf("%s is not a commit: %w", hash, err))
	}
	return hash, nil
}

// commitsWithPrefix returns all commits whose hash begins with the prefix.
func commitsWithPrefix(repo *git.Repository, prefix string) ([]plumbing.Hash, error) {
	commits, err := repo.CommitObjects()
	if err != nil {
		return nil, err
	}
	var found []plumbing.Hash
	err = commits.ForEach(func(c *object.Commit) error {
		if strings.HasPrefix(c.Hash.String(), prefix) {
			found = append(found, c.Hash)
		}
		return nil
	})
	return found, err
}

// checkout writes the files of the commit, after it checked their number and size. Then it checks the symbolic links.
func (r *remote) checkout(commit plumbing.Hash, dir string) error {
	if err := checkTree(r.clone, commit, r.limits); err != nil {
		return fmt.Errorf("check out %s: %w", commit, err)
	}
	tree, err := r.clone.Worktree()
	if err != nil {
		return err
	}
	if err := tree.Checkout(&git.CheckoutOptions{Hash: commit, Force: true}); err != nil {
		return diskError{fmt.Errorf("check out %s: %w", commit, err)}
	}
	return checkLinks(dir, r.links)
}

// describe returns the revision of a commit.
func describe(repo *git.Repository, commit plumbing.Hash, url, ref string) (Revision, error) {
	c, err := repo.CommitObject(commit)
	if err != nil {
		return Revision{}, fmt.Errorf("read commit %s: %w", commit, err)
	}
	subject, _, _ := strings.Cut(strings.TrimSpace(c.Message), "\n")
	return Revision{
		Repo:    url,
		Ref:     ref,
		Commit:  commit.String(),
		Author:  cmp.Or(c.Author.Name, c.Author.Email),
		Date:    c.Committer.When.UTC(),
		Subject: strings.TrimSpace(subject),
	}, nil
}
