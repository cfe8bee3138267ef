package sanitize

import (
	"errors"
	"testing"

	"github.com/hashicorp/go-multierror"
)

// TestTheFormOfHelmsLists fails when the library with which Helm lists errors changes its form. docs/error-texts.md lists what is
// matched.
func TestTheFormOfHelmsLists(t *testing.T) {
	one, two := errors.New("job migrate failed"), errors.New("job load failed")
	for name, is := range map[string]struct {
		list error
		want string
	}{
		"one error":      {multierror.Append(nil, one), "job migrate failed"},
		"several errors": {multierror.Append(nil, one, two), "job migrate failed and 1 more"},
	} {
		if got := ShortError(is.list.Error()); got != is.want {
			t.Errorf("%s: got %q, want %q", name, got, is.want)
		}
	}
}
