package loader

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// askTheProxy has this process's own HTTP clients use the agent's proxy for every host, also for those on this machine.
func askTheProxy(port int) {
	proxy := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	http.DefaultTransport.(*http.Transport).Proxy = http.ProxyURL(proxy)
	http.DefaultClient = &http.Client{Transport: answering{http.DefaultTransport}}
}

// answering makes an answer of a failed request: helmfile asks for the head of a remote file and uses the answer without a look at the
// error.
type answering struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (a answering) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := a.next.RoundTrip(request)
	if err == nil {
		return response, nil
	}
	return &http.Response{
		Status: "502 " + err.Error(), StatusCode: http.StatusBadGateway, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(err.Error())), Request: request,
	}, nil
}
