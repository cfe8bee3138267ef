package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"

	helm "helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// repeatLost repeats a request whose answer was lost: the connection broke, the body is incomplete, or the API server answered with an
// error of its own. It may have done what it was asked all the same. So when a repeated write meets what the first one left, the answer
// is the object as it is now.
func repeatLost(next http.RoundTripper) http.RoundTripper {
	return lostAnswers{next, time.Second / 5}
}

type lostAnswers struct {
	next  http.RoundTripper
	pause time.Duration // before the first repetition; each further one is three times as long
}

const repetitions = 3

// RoundTrip implements http.RoundTripper.
func (l lostAnswers) RoundTrip(request *http.Request) (*http.Response, error) {
	if isRead(request) {
		return l.repeat(request, func(attempt *http.Request, _ int) (*http.Response, error) {
			response, err := l.next.RoundTrip(attempt)
			if err != nil || response.ContentLength < 0 || response.ContentLength > wholeReads {
				return response, err // a large body is passed on as it comes
			}
			return whole(response, nil)
		})
	}
	posted, repeatable := repeatableWrite(request)
	if !repeatable {
		return l.next.RoundTrip(request)
	}
	began := time.Now()
	return l.repeat(request, func(attempt *http.Request, n int) (*http.Response, error) {
		response, err := whole(l.next.RoundTrip(attempt))
		if n > 0 && err == nil {
			response = l.resolve(request, response, posted, time.Since(began))
		}
		return response, err
	})
}

// repeat makes up to four attempts, as long as the answer is lost.
func (l lostAnswers) repeat(request *http.Request, do func(attempt *http.Request, n int) (*http.Response, error)) (*http.Response, error) {
	pause := l.pause
	for n := 0; ; n++ {
		attempt, err := copyOf(request)
		if err != nil {
			return nil, err
		}
		response, err := do(attempt, n)
		if !isLost(response, err) || n == repetitions || !sleep(request, pause+rand.N(pause)) {
			return response, err
		}
		if response != nil {
			_ = response.Body.Close() // another attempt is made
		}
		pause *= 3
	}
}

// wholeReads is the size up to which the answer to a read is complete before it is passed on.
const wholeReads = 1 << 20

// resources are the paths of objects, and the version, for which Helm asks before each operation. The lists of what the API server
// offers are not among them: they may come from another server that is down, and that no release needs.
var resources = regexp.MustCompile(`^/(version|api/[^/]+/.+|apis/[^/]+/[^/]+/.+)$`)

func isRead(request *http.Request) bool {
	return request.Method == http.MethodGet && resources.MatchString(request.URL.Path) && request.URL.Query().Get("watch") == ""
}

// sleep is false when the request's context ends.
func sleep(request *http.Request, pause time.Duration) bool {
	select {
	case <-request.Context().Done():
		return false
	case <-time.After(pause):
		return true
	}
}

func isLost(response *http.Response, err error) bool {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return false // nothing was sent, because no server listens
	}
	return err != nil || response.StatusCode >= http.StatusInternalServerError && response.StatusCode != http.StatusNotImplemented
}

// reviews are questions that are asked with POST.
var reviews = regexp.MustCompile(`/apis/(authorization|authentication)\.k8s\.io/[^/]+/[a-z]+$`)

// repeatableWrite says whether a request is a write that may be repeated, and returns the object in its body.
func repeatableWrite(request *http.Request) (posted map[string]any, repeatable bool) {
	if request.Body != nil && request.GetBody == nil {
		return nil, false
	}
	switch request.Method {
	case http.MethodDelete:
		return nil, true
	case http.MethodPatch:
		return nil, request.Header.Get("Content-Type") != "application/json-patch+json" // it may add to a list twice
	case http.MethodPut:
		return bodyOf(request), true
	case http.MethodPost:
		posted = bodyOf(request)
		return posted, nameOf(posted) != "" || reviews.MatchString(request.URL.Path)
	}
	return nil, false
}

// bodyOf is the object that a request sends; nil for what cannot be decoded.
func bodyOf(request *http.Request) (object map[string]any) {
	if request.GetBody == nil {
		return nil
	}
	body, err := request.GetBody()
	if err != nil {
		return nil
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return nil
	}
	if request.Header.Get("Content-Type") == runtime.ContentTypeProtobuf { // of the clients that know their types
		decoded, _, err := scheme.Codecs.UniversalDeserializer().Decode(content, nil, nil)
		if err != nil {
			return nil
		}
		if content, err = json.Marshal(decoded); err != nil {
			return nil
		}
	}
	if json.Unmarshal(content, &object) != nil {
		return nil
	}
	return object
}

func nameOf(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	return name
}

func copyOf(request *http.Request) (*http.Request, error) {
	attempt := request.Clone(request.Context())
	if request.GetBody == nil {
		return attempt, nil
	}
	var err error
	attempt.Body, err = request.GetBody()
	return attempt, err
}

// whole reads the body. An answer that breaks off is lost.
func whole(response *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(response.Body)
	_ = response.Body.Close() // it was read, or reading it failed
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(content))
	return response, nil
}

// resolve is the answer to a repeated request. If an earlier attempt was successful, the API server refuses the repetition, and the
// answer that was lost is made up for.
func (l lostAnswers) resolve(request *http.Request, response *http.Response, posted map[string]any, since time.Duration) *http.Response {
	switch {
	case request.URL.Query().Has("dryRun"):
		return response
	case request.Method == http.MethodDelete && response.StatusCode == http.StatusNotFound:
		return answer(response, []byte(`{"kind":"Status","apiVersion":"v1","status":"Success"}`))
	case response.StatusCode != http.StatusConflict || posted == nil:
		return response
	}
	at := *request.URL
	if request.Method == http.MethodPost {
		at.Path += "/" + nameOf(posted)
	}
	found, server := l.read(request, at)
	if found == nil {
		return response
	}
	var live map[string]any
	if json.Unmarshal(found, &live) != nil {
		return response
	}
	if request.Method == http.MethodPut && contains(live, posted) || request.Method == http.MethodPost && isOwn(live, posted, server.Add(-since)) {
		return answer(response, found)
	}
	return response
}

func answer(instead *http.Response, content []byte) *http.Response {
	made := *instead
	made.StatusCode, made.Status = http.StatusOK, "200 OK"
	made.Header = instead.Header.Clone()
	made.Header.Set("Content-Type", "application/json")
	made.Header.Del("Content-Length")
	made.ContentLength = int64(len(content))
	made.Body = io.NopCloser(bytes.NewReader(content))
	return &made
}

// read returns an object as it is, and the time at the API server.
func (l lostAnswers) read(request *http.Request, at url.URL) ([]byte, time.Time) {
	at.RawQuery = ""
	get := request.Clone(request.Context())
	get.Method, get.URL, get.Body, get.GetBody, get.ContentLength = http.MethodGet, &at, nil, nil, 0
	get.Header.Del("Content-Type")
	get.Header.Set("Accept", "application/json")
	response, err := whole(l.next.RoundTrip(get)) //nolint:bodyclose // whole has read and closed it
	if err != nil || response.StatusCode != http.StatusOK {
		return nil, time.Time{}
	}
	server, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return nil, time.Time{}
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, time.Time{}
	}
	return content, server
}

// clockPrecision is how far times may differ, because the API server rounds them to seconds.
const clockPrecision = 2 * time.Second

// isOwn says whether a live object is the one that was posted: it belongs to the same release, or it was created since then and has the
// same content. Hooks have no annotations of the release, and the API server may have changed their content.
func isOwn(live, posted map[string]any, since time.Time) bool {
	was, is := annotationsIn(posted), annotationsIn(live)
	if was[NameAnnotation] != nil {
		return was[NameAnnotation] == is[NameAnnotation] && was[NamespaceAnnotation] == is[NamespaceAnnotation]
	}
	metadata, _ := live["metadata"].(map[string]any)
	text, _ := metadata["creationTimestamp"].(string)
	created, err := time.Parse(time.RFC3339, text)
	if err != nil || created.Before(since.Add(-clockPrecision)) {
		return false
	}
	return contains(live, posted) || was[helm.HookAnnotation] != nil && was[helm.HookAnnotation] == is[helm.HookAnnotation] && isManaged(metadata)
}

func annotationsIn(object map[string]any) map[string]any {
	metadata, _ := object["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	return annotations
}

// isManaged says that the agent wrote the object.
func isManaged(metadata map[string]any) bool {
	entries, _ := metadata["managedFields"].([]any)
	for _, entry := range entries {
		if fields, _ := entry.(map[string]any); fields["manager"] == FieldManager {
			return true
		}
	}
	return false
}

// contains says whether the live object has everything that was posted, except for what the API server sets.
func contains(live, posted map[string]any) bool {
	for name, value := range posted {
		switch {
		case value == nil, name == "status", name == "kind", name == "apiVersion":
		case name == "metadata":
			was, _ := value.(map[string]any)
			is, _ := live["metadata"].(map[string]any)
			if !hasAll(is, was, "name", "labels", "annotations") {
				return false
			}
		case !isSame(live[name], value):
			return false
		}
	}
	return true
}

func hasAll(live, posted map[string]any, names ...string) bool {
	for _, name := range names {
		if value := posted[name]; value != nil && !isSame(live[name], value) {
			return false
		}
	}
	return true
}

// isSame ignores fields that only the live value has: defaults.
func isSame(live, posted any) bool {
	switch posted := posted.(type) {
	case map[string]any:
		fields, _ := live.(map[string]any)
		for name, value := range posted {
			if value != nil && !isSame(fields[name], value) {
				return false
			}
		}
		return true
	case []any:
		items, _ := live.([]any)
		if len(items) != len(posted) {
			return false
		}
		for i := range posted {
			if !isSame(items[i], posted[i]) {
				return false
			}
		}
		return true
	case string:
		text, ok := live.(string)
		return ok && (text == posted || sameTime(text, posted))
	default:
		return live == posted
	}
}

// sameTime compares times as the API server writes them: a Lease has microseconds.
func sameTime(a, b string) bool {
	if !strings.Contains(a, ":") {
		return false
	}
	first, err := time.Parse(time.RFC3339Nano, a)
	second, otherErr := time.Parse(time.RFC3339Nano, b)
	return err == nil && otherErr == nil && first.Truncate(time.Microsecond).Equal(second.Truncate(time.Microsecond))
}
