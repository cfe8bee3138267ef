// Package charterrors improves the errors of Helm about charts: it removes credentials, adds hints and suggestions, and turns a
// panic into an error.
package charterrors
