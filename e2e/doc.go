// Package e2e runs the built agent as a user would: a process with flags, against a real API server, real git servers,
// chart repositories and registries, as a tenant with rights in one namespace. Its tests are stories.
package e2e
