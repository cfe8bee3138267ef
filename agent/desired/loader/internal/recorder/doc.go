// Package recorder implements Helm for helmfile. It changes nothing: it turns the flags and values files that helmfile passes to Helm into
// a [release.Desired] for each release.
//
// It may import release, chart, and desired/loader/internal/unsupported and decryption.
package recorder
