// Package repositories has the repositories that charts and dependencies may name, and the file in which Helm stores them.
package repositories
