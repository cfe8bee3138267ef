package servers

import (
	"slices"
	"strings"
	"sync"
)

// refused is the suffix of requests without the right credentials. Some clients first send a request without credentials.
const refused = " refused"

// record has the requests to a server, in order.
type record struct {
	mu       sync.Mutex
	requests []string
}

func (r *record) add(request string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, request)
}

// Requests returns the requests since the start or the last Forget, such as "GET /index.yaml". If the credentials were missing or wrong, it
// is "GET /index.yaml refused".
func (r *record) Requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Count returns the number of requests for the path that were not refused, with any method.
func (r *record) Count(path string) int {
	n := 0
	for _, request := range r.Requests() {
		if _, requested, _ := strings.Cut(request, " "); requested == path {
			n++
		}
	}
	return n
}

// Forget clears the list, so that a test does not count the requests of its preparation.
func (r *record) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = nil
}
