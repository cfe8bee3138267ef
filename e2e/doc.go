// Package e2e runs the built agent as a user would: as a process with flags, and as a tenant with rights in one namespace. The API server,
// the git servers, the chart repositories and the registries are real. Many tests are stories: lists of commits and runs.
package e2e
