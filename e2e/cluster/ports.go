package cluster

import (
	"errors"
	"fmt"
	"net"
)

// freePorts returns free loopback ports. It keeps all of them open until it has found the last one, so they differ.
func freePorts(n int) (ports []int, err error) {
	for range n {
		listener, listenErr := net.Listen("tcp", "127.0.0.1:0")
		if listenErr != nil {
			return nil, fmt.Errorf("find a free port: %w", listenErr)
		}
		defer func() { err = errors.Join(err, listener.Close()) }() //nolint:gocritic // all are held until the last is found
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
