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

	"github.com/helmfile-agent/helmfile-agent/agent/source/limits"
)

// fetchedRef is the name in the clone of the ref that was fetchedRef.
const fetchedRef = plumbing.ReferenceName("refs/helmfile-agent/fetched")

// remote is the repository to clone, and the clone.
type remote struct {
	url     string
	auth    transport.AuthMethod
	ca      []byte
	shallow bool
	limits  Limits
	clone   *git.Repository
	links   []string // the symbolic links of the checkout
	refs    refs
}

// clone does the work of Clone, which handles the context and errors.
func clone(ctx context.Context, req Request, dir string) (Revision, error) {
	r, err := newRemote(req)
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

func newRemote(req Request) (*remote, error) {
	transportsOnce.Do(prepareTransports)
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

// list reads the refs of the remote.
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
		return diskError{fmt.Errorf("make %s: %w", dir, err)}
	}
	storage := limits.Storage{Storage: filesystem.NewStorage(dotGit, cache.NewObjectLRUDefault()), Limits: r.limits}
	if r.clone, err = git.Init(storage, worktree{files, &r.links}); err != nil {
		return diskError{fmt.Errorf("make %s: %w", dir, err)}
	}
	if err := ignoreModes(r.clone); err != nil {
		return diskError{err}
	}
	if _, err = r.clone.CreateRemote(r.config()); err != nil {
		return diskError{err}
	}
	return nil
}

// ignoreModes configures git to ignore execute bits. Otherwise a script without its execute bit would count as changed.
func ignoreModes(repo *git.Repository) error {
	settings, err := repo.Config()
	if err != nil {
		return err
	}
	settings.Raw.Section("core").SetOption("filemode", "false")
	return repo.SetConfig(settings)
}

// fetch downloads the target, and as little else as the server allows. It returns the commit.
func (r *remote) fetch(ctx context.Context, t target) (plumbing.Hash, error) {
	switch {
	case t.name != "":
		return r.fetchOne(ctx, t, t.name.String())
	case len(t.commit) == 40:
		commit, err := r.fetchOne(ctx, t, t.commit)
		if err == nil || ctx.Err() != nil {
			return commit, err
		}
		// The server may refuse to send a commit by its hash. It cannot refuse the history that contains the commit.
	}
	return r.fetchAll(ctx, t)
}

// fetchOne downloads one ref or commit without its history. Only local repositories send the whole history.
func (r *remote) fetchOne(ctx context.Context, t target, from string) (plumbing.Hash, error) {
	depth := 0
	if r.shallow {
		depth = 1
	}
	if err := r.download(ctx, depth, gitconfig.RefSpec("+"+from+":"+fetchedRef.String())); err != nil {
		return plumbing.ZeroHash, fmt.Errorf("fetch %s: %w", t.shown, err)
	}
	commit, err := peel(r.clone, fetchedRef)
	if err == nil && t.commit != "" && commit.String() != t.commit {
		return commit, fmt.Errorf("fetch %s: the ref that pointed to this commit was moved during the clone", t.shown)
	}
	return commit, err
}

// fetchAll downloads all branches and tags with their history, and searches them for the commit.
func (r *remote) fetchAll(ctx context.Context, t target) (plumbing.Hash, error) {
	if err := r.download(ctx, 0, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"); err != nil {
		return plumbing.ZeroHash, fmt.Errorf("fetch all branches and tags: %w", err)
	}
	found, err := commitsWithPrefix(r.clone, t.commit)
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

func (r *remote) download(ctx context.Context, depth int, specs ...gitconfig.RefSpec) error {
	err := r.clone.FetchContext(ctx, &git.FetchOptions{
		RemoteName: git.DefaultRemoteName, RefSpecs: specs, Depth: depth,
		Auth: r.auth, CABundle: r.ca, Tags: git.NoTags,
	})
	if errors.Is(err, git.NoErrAlreadyUpToDate) {
		return nil // the clone already has all objects
	}
	return err
}
