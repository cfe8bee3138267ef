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

// refs is what a remote advertises.
type refs struct {
	head   plumbing.ReferenceName            // what HEAD names: a branch, or detachedHead; empty if it names nothing
	hashes map[plumbing.ReferenceName]string // of annotated tags this is the tag's own hash
	peeled map[plumbing.ReferenceName]string // annotated tags only: the commit
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

// tipAt is a ref whose commit this is; with several, the first by name, so that runs do not differ.
func (r refs) tipAt(commit string) (plumbing.ReferenceName, bool) {
	var at []plumbing.ReferenceName
	for name, hash := range r.hashes {
		if hash == commit && r.peeled[name] == "" || r.peeled[name] == commit {
			at = append(at, name)
		}
	}
	if len(at) == 0 {
		return "", false
	}
	return slices.Min(at), true
}

// branches are the short names of all branches, sorted.
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

// target is what to fetch: a ref by its name, or a commit by its hash, or a ref because its tip is the commit.
type target struct {
	name   plumbing.ReferenceName
	commit string // 40 digits, or fewer if name is empty
	shown  string // the ref as asked for
}

var (
	fullHash  = regexp.MustCompile(`^[0-9a-f]{40}$`)
	shortHash = regexp.MustCompile(`^[0-9a-f]{7,39}$`)
)

// resolve decides what a ref means among those that the remote has.
func resolve(ref string, have refs) (target, error) {
	if ref == "" {
		return resolveHead(have)
	}
	if commit := strings.ToLower(ref); fullHash.MatchString(commit) {
		tip, _ := have.tipAt(commit)
		return target{name: tip, commit: commit, shown: ref}, nil
	}
	for _, name := range []string{"refs/heads/" + ref, "refs/tags/" + ref, ref} {
		if name := plumbing.ReferenceName(name); have.has(name) {
			return target{name: name, shown: ref}, nil
		}
	}
	if ref == plumbing.HEAD.String() {
		return resolveHead(have)
	}
	if commit := strings.ToLower(ref); shortHash.MatchString(commit) {
		return target{commit: commit, shown: ref}, nil
	}
	return target{}, noSuchRef(ref, have)
}

func resolveHead(have refs) (target, error) {
	if !have.has(have.head) {
		return target{}, exit.With(exit.SourceRefused,
			errors.New("the remote's HEAD names no branch that exists: say which ref to use; "+have.listBranches()))
	}
	shown := have.head.Short()
	if have.head == detachedHead {
		shown = plumbing.HEAD.String()
	}
	return target{name: have.head, shown: shown}, nil
}

func noSuchRef(ref string, have refs) error {
	return exit.With(exit.SourceRefused, fmt.Errorf("there is no branch, tag or commit %q; %s", ref, have.listBranches()))
}

func ambiguous(ref string, found []plumbing.Hash) error {
	return exit.With(exit.SourceRefused,
		fmt.Errorf("%q begins the hash of %d commits, %s and %s among them: give more digits", ref, len(found), found[0], found[1]))
}

// listBranches helps a person who mistyped one.
func (r refs) listBranches() string {
	names, more := r.branches(), ""
	if len(names) == 0 {
		return "there are no branches"
	}
	if extra := len(names) - 10; extra > 0 {
		names, more = names[:10], fmt.Sprintf(" and %d more", extra)
	}
	return "the branches are " + strings.Join(names, ", ") + more
}
