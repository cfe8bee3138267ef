// Command helmfile-agent makes a Kubernetes namespace as a helmfile in a git repository declares it.
//
// Called by the name helm or kustomize it answers as those tools would: helmfile runs them. By two other names it is the process that
// reads the helmfile, or one that renders charts.
package main

import (
	"os"
	"path/filepath"

	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader"
	"github.com/helmfile-agent/helmfile-agent/agent/helmshim"
	"github.com/helmfile-agent/helmfile-agent/agent/render"
)

func main() {
	surviveClosedPipes()
	tuneGarbage()
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
