package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	gitconfig "github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/memory"
)

// fetched is the ref that the wanted one becomes in the clone, whatever it is called at the remote.
const fetched = plumbing.ReferenceName("refs/helmfile-agent/wanted")

// remote is a repository that can be asked.
type remote struct {
	url     string
	auth    transport.AuthMethod
	ca      []byte
	shallow bool
	limits  Limits
	clone   *git.Repository
	links   []string // of the checkout
	refs    refs
}

func clone(ctx context.Context, req Request, dir string) (Revision, error) {
	r, err := connect(req)
	if err != nil {
		return Revision{}, err
	}
	if err := r.list(ctx); err != nil {
		return Revision{}, err
	}
	target, err := resolve(req.Ref, r.refs)
	if err != nil {
		return Revision{}, err
	}
	if err := r.init(dir); err != nil {
		return Revision{}, err
	}
	commit, err := r.fetch(ctx, target)
	if err != nil {
		return Revision{}, err
	}
	if err := r.checkout(commit, dir); err != nil {
		return Revision{}, err
	}
	return describe(r.clone, commit, req.Repo, target.shown)
}

func connect(req Request) (*remote, error) {
	once.Do(prepareTransports)
	endpoint, err := transport.NewEndpoint(req.Repo)
	if err != nil {
		return nil, err
	}
	r := &remote{url: req.Repo, shallow: endpoint.Protocol != "file", limits: req.Limits}
	if r.auth, err = authMethod(endpoint, req.Auth); err != nil {
		return nil, err
	}
	r.ca, err = authorities(req.Auth.CAFile)
	return r, err
}

func (r *remote) config() *gitconfig.RemoteConfig {
	return &gitconfig.RemoteConfig{Name: git.DefaultRemoteName, URLs: []string{r.url}}
}

// list asks the remote for its refs.
func (r *remote) list(ctx context.Context) error {
	listing, err := git.NewRemote(memory.NewStorage(), r.config()).ListContext(ctx, &git.ListOptions{
		Auth: r.auth, CABundle: r.ca, PeelingOption: git.AppendPeeled,
	})
	if err != nil {
		return fmt.Errorf("list refs: %w", err)
	}
	r.refs = newRefs(listing)
	return nil
}

func (r *remote) init(dir string) error {
	files := osfs.New(dir)
	dotGit, err := files.Chroot(git.GitDirName)
	if err != nil {
		return onDisk{fmt.Errorf("make %s: %w", dir, err)}
	}
	storage := boundedStorage{filesystem.NewStorage(dotGit, cache.NewObjectLRUDefault()), r.limits}
	if r.clone, err = git.Init(storage, worktree{files, &r.links}); err != nil {
		return onDisk{fmt.Errorf("make %s: %w", dir, err)}
	}
	if err := ignoreModes(r.clone); err != nil {
		return onDisk{err}
	}
	if _, err = r.clone.CreateRemote(r.config()); err != nil {
		return onDisk{err}
	}
	return nil
}

// ignoreModes keeps git from taking a file that lost its execute bit for a changed one.
func ignoreModes(repo *git.Repository) error {
	settings, err := repo.Config()
	if err != nil {
		return err
	}
	settings.Raw.Section("core").SetOption("filemode", "false")
	return repo.SetConfig(settings)
}

// fetch brings the target, with as little as the server allows, and says which commit it is.
func (r *remote) fetch(ctx context.Context, t target) (plumbing.Hash, error) {
	switch {
	case t.name != "":
		return r.fetchOne(ctx, t, t.name.String())
	case len(t.commit) == 40:
		commit, err := r.fetchOne(ctx, t, t.commit)
		if err == nil || ctx.Err() != nil {
			return commit, err
		}
		// Servers may refuse to hand out a commit by its hash; the history that holds it they cannot refuse.
	}
	return r.fetchAll(ctx, t)
}

// fetchOne brings one ref or commit, shallow.
func (r *remote) fetchOne(ctx context.Context, t target, from string) (plumbing.Hash, error) {
	depth := 0
	if r.shallow {
		depth = 1
	}
	if err := r.pull(ctx, depth, gitconfig.RefSpec("+"+from+":"+fetched.String())); err != nil {
		return plumbing.ZeroHash, fmt.Errorf("fetch %s: %w", t.shown, err)
	}
	commit, err := peel(r.clone, fetched)
	if err == nil && t.commit != "" && commit.String() != t.commit {
		return commit, fmt.Errorf("fetch %s: the ref that pointed to it has just moved", t.shown)
	}
	return commit, err
}

// fetchAll brings every branch and tag with their history, and looks for the commit there.
func (r *remote) fetchAll(ctx context.Context, t target) (plumbing.Hash, error) {
	if err := r.pull(ctx, 0, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"); err != nil {
		return plumbing.ZeroHash, fmt.Errorf("fetch all branches and tags: %w", err)
	}
	found, err := commitsWith(r.clone, t.commit)
	switch {
	case err != nil:
		return plumbing.ZeroHash, err
	case len(found) == 0:
		return plumbing.ZeroHash, noSuchRef(t.shown, r.refs)
	case len(found) > 1:
		return plumbing.ZeroHash, ambiguous(t.shown, found)
	}
	return found[0], nil
}

func (r *remote) pull(ctx context.Context, depth int, specs ...gitconfig.RefSpec) error {
	err := r.clone.FetchContext(ctx, &git.FetchOptions{
		RemoteName: git.DefaultRemoteName, RefSpecs: specs, Depth: depth,
		Auth: r.auth, CABundle: r.ca, Tags: git.NoTags,
	})
	if errors.Is(err, git.NoErrAlreadyUpToDate) {
		return nil // every object is there already, which is what was asked for
	}
	return err
}
