// Package chartrepo downloads from chart repositories over HTTP: indexes, archives and provenance files.
package chartrepo
