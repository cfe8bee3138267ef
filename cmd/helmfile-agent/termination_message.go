package main

import (
	"cmp"
	"os"
)

// terminationLog is the file from which Kubernetes reads a container's termination message. It exists only in a container. Tests use
// another file.
var terminationLog = "/dev/termination-log"

const terminationLimit = 4096 // bytes that Kubernetes keeps

func (s session) writeTerminationMessage(message []byte) {
	file, err := os.OpenFile(terminationLog, os.O_WRONLY|os.O_TRUNC, 0)
	if os.IsNotExist(err) {
		return // not in a container
	}
	if err == nil {
		_, err = file.WriteString(s.mask.String(string(message)))
		err = cmp.Or(err, file.Close())
	}
	if err != nil {
		s.log.Warn("termination message not written", "error", err)
	}
}
