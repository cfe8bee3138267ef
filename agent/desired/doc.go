// Package desired turns a checkout into the complete list of wanted releases, or an error; never a partial list.
//
// It does not read the checkout itself. [Start] starts the loader, a child process of the same binary that alone runs helmfile
// (package loader), with an environment of its own and nothing of the agent's: no keys, no token, no credentials. [Loader.Load] tells
// it what to load, answers what it asks for (package broker) and reads what it says (package protocol).
//
// It may import exit, release, egress, secrets, mask, chart, broker, and the packages below it. A directory comes in; a [Set] goes
// out.
package desired
