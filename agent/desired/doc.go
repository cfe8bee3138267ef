// Package desired turns a checkout into the complete list of desired releases, or into an error; never into a partial list.
//
// It does not read the checkout itself. [Start] starts the loader, a child process of the same binary that runs helmfile (package loader).
// The loader has its own environment and none of the agent's keys, tokens and credentials. [Loader.Load] sends it what to load, serves its
// requests (package broker) and reads its messages (package protocol).
//
// It may import exit, release, egress, secrets, mask, chart, broker, child and the packages below it.
package desired
