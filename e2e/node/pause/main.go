// Command pause is the container that holds a pod's namespaces: it sleeps until it is told to end. Tests run it as a
// workload too.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGINT, syscall.SIGTERM)
	<-told
}
