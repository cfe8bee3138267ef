package main

import (
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
)

// wire is a TCP proxy in front of the API server that counts bytes, including TLS.
type wire struct {
	listener net.Listener
	server   string
	count    atomic.Int64
}

func newWire(server string) (*wire, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{listener: listener, server: strings.TrimPrefix(server, "https://")}
	go w.serve()
	return w, nil
}

func (w *wire) serve() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return // closed
		}
		go w.connect(client)
	}
}

func (w *wire) connect(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		return // the client's connection is closed
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client) // when it ends, the other direction ends, too
		_ = server.Close()
	}()
	_, _ = io.Copy(io.MultiWriter(client, counter{w}), server)
}

type counter struct{ *wire }

func (c counter) Write(p []byte) (int, error) {
	c.count.Add(int64(len(p)))
	return len(p), nil
}

func (w *wire) reset()          { w.count.Store(0) }
func (w *wire) received() int64 { return w.count.Load() }

// reroute changes a kubeconfig to use the wire.
func (w *wire) reroute(kubeconfig string) error {
	content, err := os.ReadFile(kubeconfig)
	if err != nil {
		return err
	}
	return os.WriteFile(kubeconfig, []byte(strings.ReplaceAll(string(content), w.server, w.listener.Addr().String())), 0o600)
}
