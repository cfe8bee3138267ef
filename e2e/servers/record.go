package servers

import (
	"slices"
	"strings"
	"sync"
)

// refused ends the entry of a request without the right credentials: clients may ask without them first.
const refused = " refused"

// record is what a server was asked, in the order of asking.
type record struct {
	mu       sync.Mutex
	requests []string
}

func (r *record) add(request string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, request)
}

// Requests lists what was asked since the start or the last Forget, such as "GET /index.yaml" or, when
// the credentials were missing or wrong, "GET /index.yaml refused".
func (r *record) Requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Count says how many of the Requests for the path were not refused, with whatever method.
func (r *record) Count(path string) int {
	n := 0
	for _, request := range r.Requests() {
		if _, asked, _ := strings.Cut(request, " "); asked == path {
			n++
		}
	}
	return n
}

// Forget starts the list anew: what a test prepares is not what it counts.
func (r *record) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = nil
}
