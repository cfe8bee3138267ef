package source

import (
	"regexp"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// FuzzResolve checks for any ref and any remote that resolve returns a ref of the remote, a commit, or an error with exit code
// SourceRefused.
func FuzzResolve(f *testing.F) {
	f.Add("", "main", "v1", "refs/heads/main")
	f.Add("main", "main", "main", "HEAD")
	f.Add("v1", "main", "v1", "refs/heads/main")
	f.Add("refs/tags/v1", "main", "v1", "")
	f.Add("HEAD", "main", "v1", "refs/heads/gone")
	f.Add("1111111", "main", "v1", "refs/heads/main")
	f.Add(strings.Repeat("1", 40), "main", "v1", "refs/heads/main")
	f.Add("1234567890", "1234567890", "v1", "")
	f.Fuzz(func(t *testing.T, ref, branch, tag, head string) {
		commit := strings.Repeat("1", 40)
		have := newRefs([]*plumbing.Reference{
			plumbing.NewSymbolicReference(plumbing.HEAD, plumbing.ReferenceName(head)),
			plumbing.NewReferenceFromStrings("refs/heads/"+branch, commit),
			plumbing.NewReferenceFromStrings("refs/tags/"+tag, strings.Repeat("2", 40)),
			plumbing.NewReferenceFromStrings("refs/tags/"+tag+"^{}", commit),
		})
		got, err := resolve(ref, have)
		switch {
		case err != nil:
			if exit.Of(err) != exit.SourceRefused {
				t.Errorf("%q is refused with code %v", ref, exit.Of(err))
			}
		case got.name != "" && !have.has(got.name):
			t.Errorf("%q is resolved to %q, which the remote does not have", ref, got.name)
		case got.name == "" && !regexp.MustCompile(`^[0-9a-f]{7,40}$`).MatchString(got.commit):
			t.Errorf("%q is resolved to neither a ref nor a commit: %q", ref, got.commit)
		case ref != "" && got.shown != ref && ref != "HEAD":
			t.Errorf("%q is shown as %q", ref, got.shown)
		}
	})
}

// FuzzOrigin checks that an origin is a valid label value, that the spellings of one URL have the same origin, and that different paths and
// environments have different ones.
func FuzzOrigin(f *testing.F) {
	f.Add("https://git.example.org/team/config", "clusters/prod", "default")
	f.Add("https://git.example.org/team/config.git/", "", "production")
	f.Add("git@git.example.org:team/config", "helmfile.d", "")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, repo, path, environment string) {
		origin := Origin(repo, path, environment)
		if !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(origin) {
			t.Errorf("%q is not a label value", origin)
		}
		if Origin(repo+"/", path, environment) != origin {
			t.Error("a slash at the end changes the origin")
		}
		if base := strings.TrimRight(repo, "/"); base == repo && !strings.HasSuffix(repo, ".git") && Origin(repo+".git", path, environment) != origin {
			t.Error(".git at the end changes the origin")
		}
		if Origin(repo, path+"x", environment) == origin || Origin(repo, path, environment+"x") == origin {
			t.Error("another path or environment has the same origin")
		}
	})
}
