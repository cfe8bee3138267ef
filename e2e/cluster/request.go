package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Request is one request that the API server answered.
type Request struct {
	Verb        string // get, list, watch, create, update, patch, delete, deletecollection
	Group       string // of the API; empty for the core group
	Resource    string // empty for requests without a resource, such as /readyz
	Subresource string
	Namespace   string
	Name        string
	URI         string
	User        string
	UserAgent   string
	Code        int // the code of the HTTP answer
}

// String returns the request in one line, such as "get secrets shop/web 200".
func (r Request) String() string {
	what := r.Resource
	if r.Group != "" {
		what += "." + r.Group
	}
	if r.Subresource != "" {
		what += "/" + r.Subresource
	}
	if what == "" {
		what = r.URI
	}
	words := []string{r.Verb, what, strings.Trim(r.Namespace+"/"+r.Name, "/"), fmt.Sprint(r.Code)}
	return strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), " ")
}

// Select returns the requests that match the wanted one in all its non-empty fields.
func Select(requests []Request, want Request) []Request {
	var kept []Request
	for _, request := range requests {
		if request.agrees(want) {
			kept = append(kept, request)
		}
	}
	return kept
}

func (r Request) agrees(want Request) bool {
	return (want.Code == 0 || want.Code == r.Code) &&
		same(r.Verb, want.Verb) &&
		same(r.Group, want.Group) &&
		same(r.Resource, want.Resource) &&
		same(r.Subresource, want.Subresource) &&
		same(r.Namespace, want.Namespace) &&
		same(r.Name, want.Name) &&
		same(r.URI, want.URI) &&
		same(r.User, want.User) &&
		same(r.UserAgent, want.UserAgent)
}

func same(got, want string) bool {
	return want == "" || want == got
}

// Writes returns the requests that change something permanently, including refused ones, which have another Code.
//
// A dry run of a deletion counts as a write if only the body says so, because the audit log does not have the body.
func Writes(requests []Request) []Request {
	var writes []Request
	for _, request := range requests {
		if request.isWrite() {
			writes = append(writes, request)
		}
	}
	return writes
}

func (r Request) isWrite() bool {
	switch r.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return !r.isQuestion() && !r.isDryRun()
	default:
		return false
	}
}

// isQuestion reports whether an object is created only to get an answer: access reviews, token reviews and tokens.
func (r Request) isQuestion() bool {
	return r.Group == "authorization.k8s.io" || r.Group == "authentication.k8s.io" ||
		r.Resource == "serviceaccounts" && r.Subresource == "token"
}

func (r Request) isDryRun() bool {
	uri, err := url.Parse(r.URI)
	return err == nil && slices.Contains(uri.Query()["dryRun"], "All")
}

// event has the fields of an audit.k8s.io/v1 Event that this package uses.
type event struct {
	Verb       string `json:"verb"`
	RequestURI string `json:"requestURI"`
	UserAgent  string `json:"userAgent"`
	User       struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef struct {
		APIGroup    string `json:"apiGroup"`
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

// parseRequests reads complete lines of the audit log, and leaves out the requests of this package.
func parseRequests(log []byte) ([]Request, error) {
	var requests []Request
	for line := range bytes.Lines(log) {
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("parse the audit log: %w", err)
		}
		if e.User.Username != probeUser {
			requests = append(requests, e.request())
		}
	}
	return requests, nil
}

func (e event) request() Request {
	return Request{
		Verb:        e.Verb,
		Group:       e.ObjectRef.APIGroup,
		Resource:    e.ObjectRef.Resource,
		Subresource: e.ObjectRef.Subresource,
		Namespace:   e.ObjectRef.Namespace,
		Name:        e.ObjectRef.Name,
		URI:         e.RequestURI,
		User:        e.User.Username,
		UserAgent:   e.UserAgent,
		Code:        e.ResponseStatus.Code,
	}
}
