// Package download finds the archive of a chart in a repository or a registry, and downloads and verifies it once.
package download
