// Package digest makes a short text of a value, for the names of files and for the identity of a chart.
package digest
