// Package dependencies builds the dependencies of a chart directory: in place, or in a private copy.
package dependencies
