package loader

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// useProxy makes all HTTP clients of this process use the agent's proxy, also for hosts on this machine.
func useProxy(port int) {
	proxy := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	http.DefaultTransport.(*http.Transport).Proxy = http.ProxyURL(proxy)
	http.DefaultClient = &http.Client{Transport: errorResponder{http.DefaultTransport}}
}

// errorResponder returns a response in place of an error. helmfile sends a HEAD request for a remote file, and uses the response without
// checking the error.
type errorResponder struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (r errorResponder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err == nil {
		return response, nil
	}
	return &http.Response{
		Status: "502 " + err.Error(), StatusCode: http.StatusBadGateway, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(err.Error())), Request: request,
	}, nil
}
