// Package helmshim answers as `helm` and `kustomize` would when helmfile or chartify runs them: the agent's one binary is
// found under those names in a private directory, first in PATH.
//
// In go a name and its arguments, out come an exit code and what the tool would have printed: only the commands and
// flags that helmfile and chartify use, every other one is refused by name. No plugin is run and no other program.
//
// It may import child, release, chart, broker and sandbox; only cmd imports it. Its processes are confined like the loader that starts
// them: the agent downloads, decrypts and asks the cluster for them. Repositories come from the file that HELM_REPOSITORY_CONFIG names
// (written by chart.WriteRepositories), the rules for local charts from the directory that HELM_REPOSITORY_CACHE names.
package helmshim
