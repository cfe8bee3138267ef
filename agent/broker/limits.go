package broker

import (
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

// The limits of requests at the same time. Requests above a limit wait.
const (
	maxConnections = 64
	maxRequests    = 16
	maxBodies      = 2 * maxMessage // bytes of all requests
)

// limits makes requests wait for other requests.
type limits struct {
	requests, bodies *semaphore.Weighted
	timeout          time.Duration // for reading the body of one request
	next             http.Handler
}

func limited(next http.Handler, timeout time.Duration) http.Handler {
	return limits{semaphore.NewWeighted(maxRequests), semaphore.NewWeighted(maxBodies), timeout, next}
}

// ServeHTTP implements http.Handler. It counts the bytes of a request before it reads them, so a request must have a length.
func (l limits) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	switch {
	case request.ContentLength < 0:
		http.Error(w, "the request has no length", http.StatusLengthRequired)
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
	// The time for reading the body starts now, because a request may wait here for a long time.
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(l.timeout)); err != nil {
		return // the connection has ended
	}
	l.next.ServeHTTP(w, request)
}
