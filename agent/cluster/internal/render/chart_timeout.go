package render

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// chartTimeout is the longest that a chart may take to arrive. It is shorter near the end of a run, because one host that does not answer
// must not delay all other releases.
const chartTimeout = time.Minute

// fetchWithTimeout fetches something of a chart. It asks no host again that did not answer in time.
func fetchWithTimeout[T any](ctx context.Context, r *Renderer, chart release.Chart, fetch func(context.Context) (T, error)) (T, error) {
	var none T
	host := hostOf(chart)
	if known, ok := r.unresponsiveHosts.Load(host); ok && host != "" {
		return none, fmt.Errorf("chart %s was not fetched: %w", chart.Name, known.(error))
	}
	limit := chartTimeout
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/4)
	}
	noAnswer := fmt.Errorf("%s did not answer within %s", cmp.Or(host, "where its dependencies are"), limit.Round(100*time.Millisecond))
	bounded, cancel := context.WithTimeoutCause(ctx, limit, noAnswer)
	defer cancel()
	fetched, err := fetch(bounded)
	switch {
	case err == nil || bounded.Err() == nil || ctx.Err() != nil:
		return fetched, err
	case host == "": // its own words say which dependency
		return none, fmt.Errorf("%w (%w)", err, noAnswer)
	default:
		r.unresponsiveHosts.Store(host, noAnswer)
		return none, fmt.Errorf("load chart %s: %w", chart.Name, noAnswer)
	}
}

// hostOf is where a chart comes from; empty for a local one.
func hostOf(chart release.Chart) string {
	at := chart.Ref
	if chart.Repository != nil {
		at = chart.Repository.URL
	}
	u, err := url.Parse(at)
	if err != nil || u.Host == "" {
		u, err = url.Parse("oci://" + at) // helmfile leaves the scheme out
	}
	if err != nil || chart.Path != "" {
		return ""
	}
	return u.Host
}
