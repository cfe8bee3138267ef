// Command helmfile-agent makes a Kubernetes namespace as a helmfile in a git repository declares it.
//
// The same binary is also started under other names. As helm or kustomize it does what helmfile needs from these tools. Two more names
// are those of the process that loads the helmfile, and of a process that renders charts.
package main

import (
	"os"
	"path/filepath"

	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader"
	"github.com/helmfile-agent/helmfile-agent/agent/helmshim"
	"github.com/helmfile-agent/helmfile-agent/agent/render"
)

func main() {
	ignoreClosedPipes()
	tuneGC()
	name := filepath.Base(os.Args[0])
	switch name {
	case loader.Name:
		os.Exit(loader.Main(os.Stdin, os.Stdout))
	case render.Name:
		os.Exit(render.Main(os.Stdin, os.Stdout))
	}
	if helmshim.Known(name) {
		os.Exit(helmshim.Main(name, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(int(execute(os.Args[1:])))
}
