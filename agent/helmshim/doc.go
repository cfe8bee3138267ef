// Package helmshim implements the commands of `helm` and `kustomize` that helmfile and chartify run. The loader puts links with these
// names into a directory that is first in PATH; both lead to the binary of the agent.
//
// [Main] gets the name and the arguments, writes what the real program would write, and returns an exit code. It supports only the
// commands and flags that helmfile and chartify use, and refuses all others by name. It starts no plugin and no other program.
//
// It may import packages child, release, chart, broker and sandbox; only cmd imports it. Its processes are confined in the same way as
// the loader, which starts them: the agent downloads charts, decrypts files and reads the cluster for them. The file that
// HELM_REPOSITORY_CONFIG names has the repositories (chart.WriteRepositories writes it). The directory that HELM_REPOSITORY_CACHE names
// has the rules for local charts.
package helmshim
