// Package files gives helmfile the files of the repository, and no others.
//
// It may import sandbox and desired/loader/internal/unsupported.
package files
