// Command pause is the program of the container that keeps a pod's namespaces. It sleeps until it gets a signal. Tests also run it as a
// workload.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	<-signals
}
