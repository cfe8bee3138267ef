package source

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// refs are the refs that a remote advertises.
type refs struct {
	head   plumbing.ReferenceName            // the branch of HEAD, or detachedHead; empty if HEAD points to neither
	hashes map[plumbing.ReferenceName]string // for an annotated tag, the hash of the tag itself
	peeled map[plumbing.ReferenceName]string // only annotated tags: the commit
}

func newRefs(listing []*plumbing.Reference) refs {
	r := refs{hashes: map[plumbing.ReferenceName]string{}, peeled: map[plumbing.ReferenceName]string{}}
	for _, ref := range listing {
		tag, peels := strings.CutSuffix(ref.Name().String(), "^{}")
		switch {
		case peels:
			r.peeled[plumbing.ReferenceName(tag)] = ref.Hash().String()
		case ref.Name() == plumbing.HEAD && ref.Type() == plumbing.SymbolicReference:
			r.head = ref.Target()
		case ref.Type() == plumbing.HashReference:
			r.hashes[ref.Name()] = ref.Hash().String()
		}
	}
	return r
}

func (r refs) has(name plumbing.ReferenceName) bool { return r.hashes[name] != "" }

// tipAt returns a ref that points to the commit. If there are several, it returns the first by name, so that all runs use the same one.
func (r refs) tipAt(commit string) (plumbing.ReferenceName, bool) {
	var names []plumbing.ReferenceName
	for name, hash := range r.hashes {
		if hash == commit && r.peeled[name] == "" || r.peeled[name] == commit {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "", false
	}
	return slices.Min(names), true
}

// branches returns the short names of all branches, sorted.
func (r refs) branches() []string {
	var names []string
	for name := range r.hashes {
		if name.IsBranch() {
			names = append(names, name.Short())
		}
	}
	slices.Sort(names)
	return names
}

// target is what to fetch: a ref, a commit, or a commit that a ref points to.
type target struct {
	name   plumbing.ReferenceName
	commit string // 40 hexadecimal digits, or fewer if name is empty
	shown  string // the ref as configured
}

var (
	fullHash  = regexp.MustCompile(`^[0-9a-f]{40}$`)
	shortHash = regexp.MustCompile(`^[0-9a-f]{7,39}$`)
)

// resolve returns the target that a configured ref means. See Request.Ref for the order.
func resolve(ref string, remote refs) (target, error) {
	if ref == "" {
		return resolveHead(remote)
	}
	if commit := strings.ToLower(ref); fullHash.MatchString(commit) {
		tip, _ := remote.tipAt(commit)
		return target{name: tip, commit: commit, shown: ref}, nil
	}
	for _, name := range []string{"refs/heads/" + ref, "refs/tags/" + ref, ref} {
		if name := plumbing.ReferenceName(name); remote.has(name) {
			return target{name: name, shown: ref}, nil
		}
	}
	if ref == plumbing.HEAD.String() {
		return resolveHead(remote)
	}
	if commit := strings.ToLower(ref); shortHash.MatchString(commit) {
		return target{commit: commit, shown: ref}, nil
	}
	return target{}, noSuchRef(ref, remote)
}

func resolveHead(remote refs) (target, error) {
	if !remote.has(remote.head) {
		return target{}, exit.With(exit.SourceRefused,
			errors.New("the HEAD of the remote points to no existing branch: set ref; "+remote.listBranches()))
	}
	shown := remote.head.Short()
	if remote.head == detachedHead {
		shown = plumbing.HEAD.String()
	}
	return target{name: remote.head, shown: shown}, nil
}

func noSuchRef(ref string, remote refs) error {
	return exit.With(exit.SourceRefused, fmt.Errorf("there is no branch, tag or commit %q; %s", ref, remote.listBranches()))
}

func ambiguous(ref string, found []plumbing.Hash) error {
	return exit.With(exit.SourceRefused,
		fmt.Errorf("the hashes of %d commits begin with %q, for example %s and %s: set ref to more digits", len(found), ref, found[0], found[1]))
}

// listBranches lists up to ten branches, for an error about a wrong ref.
func (r refs) listBranches() string {
	names, more := r.branches(), ""
	if len(names) == 0 {
		return "there are no branches"
	}
	if rest := len(names) - 10; rest > 0 {
		names, more = names[:10], fmt.Sprintf(" and %d more", rest)
	}
	return "the branches are " + strings.Join(names, ", ") + more
}
