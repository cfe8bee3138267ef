// Command pause is the program of the container that keeps a pod's namespaces. It sleeps until it gets a signal. Tests also run it as a
// workload.
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
