// Package servers has the servers that helmfile-agent connects to, except Kubernetes: git over HTTP and SSH, a chart repository, and an OCI
// registry. Tests and the demo use it. They are real servers on 127.0.0.1, each on its own port until Close. They record their requests, so
// that a test can count downloads.
//
// The package needs the git binary. It imports Helm's SDK to package and push charts, and no package of the product.
package servers
