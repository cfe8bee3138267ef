package source

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestAtMostTenBranchesAreListed(t *testing.T) {
	var listing []*plumbing.Reference
	for i := range 12 {
		listing = append(listing, plumbing.NewReferenceFromStrings(fmt.Sprintf("refs/heads/b%02d", i), strings.Repeat("1", 40)))
	}
	_, err := resolve("x", newRefs(listing))
	want := `there is no branch, tag or commit "x"; the branches are b00, b01, b02, b03, b04, b05, b06, b07, b08, b09 and 2 more`
	if err == nil || err.Error() != want || exit.Of(err) != exit.SourceRefused {
		t.Errorf("got %v", err)
	}
}

func TestHEADWithoutBranchIsRefused(t *testing.T) {
	_, err := resolve("", newRefs([]*plumbing.Reference{plumbing.NewReferenceFromStrings("refs/heads/main", strings.Repeat("1", 40))}))
	if exit.Of(err) != exit.SourceRefused || !strings.Contains(err.Error(), "the branches are main") {
		t.Errorf("got %v", err)
	}
}

func TestRunWithContextReturnsPanicAsError(t *testing.T) {
	_, err := runWithContext(t.Context(), func() (int, error) { panic("malformed repository") })
	if err == nil || !strings.Contains(err.Error(), "malformed repository") {
		t.Errorf("got %v", err)
	}
}

func TestUnwrapGoGit(t *testing.T) {
	inner := errors.New("inner")
	if got := unwrapGoGit(fmt.Errorf("list: %w", plumbing.NewUnexpectedError(inner))); !errors.Is(got, inner) {
		t.Errorf("got %v", got)
	}
}
