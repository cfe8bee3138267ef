package broker

import (
	"net/http"

	"golang.org/x/sync/semaphore"
)

// What clients may ask for at once. More of it waits.
const (
	maxConnections = 64
	maxRequests    = 16
	maxBodies      = 2 * maxMessage // bytes of all requests
)

// limits makes requests wait for each other.
type limits struct {
	requests, bodies *semaphore.Weighted
	next             http.Handler
}

func limited(next http.Handler) http.Handler {
	return limits{semaphore.NewWeighted(maxRequests), semaphore.NewWeighted(maxBodies), next}
}

// ServeHTTP implements http.Handler. A request counts with its length, so it must have one.
func (l limits) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	switch {
	case request.ContentLength < 0:
		http.Error(w, "a request needs a length", http.StatusLengthRequired)
		return
	case request.ContentLength > maxMessage:
		http.Error(w, "the request is too large", http.StatusRequestEntityTooLarge)
		return
	}
	if err := l.bodies.Acquire(request.Context(), request.ContentLength); err != nil {
		return // the client or the run has ended
	}
	defer l.bodies.Release(request.ContentLength)
	if err := l.requests.Acquire(request.Context(), 1); err != nil {
		return
	}
	defer l.requests.Release(1)
	l.next.ServeHTTP(w, request)
}
