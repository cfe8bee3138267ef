package render

import (
	"context"
	"reflect"
	"time"

	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// tick is longer than the unit that templates usually read the clock in.
const tick = time.Second + 10*time.Millisecond

// readsClock also where a longer word holds this one.
func readsClock(c *helmchart.Chart) bool { return anywhere(c, []byte("now")) }

// renderAgain does so when the clock shows something else, if the chart looks at it.
func (r *Renderer) renderAgain(ctx context.Context, want release.Desired, clock bool) (release.Manifest, error) {
	if clock {
		select {
		case <-time.After(tick):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	revision, err := r.dryRun(ctx, want)
	if err != nil {
		return nil, err
	}
	return history.ManifestOf(revision)
}

// isNondeterministic says whether what was made differs from the last revision only where rendering the same once more gives something else
// again: templates that roll dice or read the clock. A clock read to the day looks like a change.
func isNondeterministic(last, made release.Manifest, again func() (release.Manifest, error)) bool {
	if len(last) != len(made) || reflect.DeepEqual(contents(last), contents(made)) {
		return false // nothing to forgive
	}
	other, err := again()
	return err == nil && len(other) == len(made) && differOnlyWhereRandom(contents(last), contents(made), contents(other))
}

// contents are the objects in the order of their keys, so that one whose name is random stands at the same place if it is alone of its kind.
func contents(m release.Manifest) []any {
	all := make([]any, len(m))
	for i, object := range m {
		all[i] = object.Content
	}
	return all
}

// differOnlyWhereRandom compares leaf by leaf: last and made may differ where made and other do.
func differOnlyWhereRandom(last, made, other any) bool {
	switch made := made.(type) {
	case map[string]any:
		last, lastOK := last.(map[string]any)
		other, otherOK := other.(map[string]any)
		if !lastOK || !otherOK || len(last) != len(made) || len(other) != len(made) {
			return false
		}
		for key, value := range made {
			was, known := last[key]
			next, stays := other[key]
			if !known || !stays || !differOnlyWhereRandom(was, value, next) {
				return false
			}
		}
		return true
	case []any:
		last, lastOK := last.([]any)
		other, otherOK := other.([]any)
		if !lastOK || !otherOK || len(last) != len(made) || len(other) != len(made) {
			return false
		}
		for i, value := range made {
			if !differOnlyWhereRandom(last[i], value, other[i]) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(last, made) || !reflect.DeepEqual(made, other)
	}
}
