package repositories

import (
	"slices"
	"sync"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Known are the repositories that charts and dependencies may name. It is safe for concurrent use.
type Known struct {
	mu   sync.Mutex
	list []release.Repository
}

// Add adds repositories. If two repositories have the same name, the first one counts.
func (k *Known) Add(repositories ...release.Repository) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = distinct(slices.Concat(k.list, repositories))
}

// All returns the given repositories and then the added ones, without a second repository of the same name.
func (k *Known) All(first ...release.Repository) []release.Repository {
	k.mu.Lock()
	defer k.mu.Unlock()
	return distinct(slices.Concat(first, k.list))
}

// distinct removes a repository if an earlier one has the same name.
func distinct(repositories []release.Repository) []release.Repository {
	seen := map[string]bool{}
	var first []release.Repository
	for _, r := range repositories {
		if !seen[r.Name] {
			seen[r.Name] = true
			first = append(first, r)
		}
	}
	return first
}

// OfChart is the repository of a chart, with the connection settings of the chart itself.
func OfChart(c release.Chart) release.Repository {
	var r release.Repository
	if c.Repository != nil {
		r = *c.Repository
	}
	r.PlainHTTP = r.PlainHTTP || c.PlainHTTP
	r.InsecureSkipTLSVerify = r.InsecureSkipTLSVerify || c.InsecureSkipTLSVerify
	return r
}
