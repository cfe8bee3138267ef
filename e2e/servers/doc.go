// Package servers is everything that helmfile-agent talks to besides Kubernetes, for tests and for the demo: git over
// HTTP and over SSH, a chart repository, and an OCI registry. They are real servers on 127.0.0.1, each on a port of its
// own until Close, and they remember what they were asked, so that a test can count downloads.
//
// It needs the git binary, imports Helm's SDK to package and push charts, and nothing of the product.
package servers
