package secrets

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
)

// ServedIn is the environment variable by which a child process knows the directory where its parent decrypts for it.
const ServedIn = "HELMFILE_AGENT_DECRYPTS_IN"

// socket is its name there. Both sides enter the directory to use it: a path on the way to it may be longer than a
// socket's name can be.
const socket = "decrypt.sock"

// answer is what a child is told of a file.
type answer struct {
	Plain  []byte
	Reason string
}

// Serve decrypts for this process's children until the listener is closed, so that they need no keys, and so that this
// process knows what they read: learn is given each plaintext before the child gets it. dir must be private. It changes
// the working directory to dir.
func (k *Keys) Serve(dir string, learn func(path string, plain []byte)) (io.Closer, error) {
	if err := os.Chdir(dir); err != nil {
		return nil, err
	}
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	// It goes with the directory. Closing it must not remove what has the name in another directory by then.
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go k.serve(conn, learn)
		}
	}()
	return listener, os.Setenv(ServedIn, dir)
}

func (k *Keys) serve(conn net.Conn, learn func(string, []byte)) {
	defer conn.Close()
	var path string
	if err := json.NewDecoder(conn).Decode(&path); err != nil {
		return // the child is gone
	}
	plain, err := k.DecryptFile(path)
	said := answer{Plain: plain}
	if err != nil {
		said.Reason = err.Error()
	} else {
		learn(path, plain)
	}
	_ = json.NewEncoder(conn).Encode(said) // if the child is gone, nobody waits for it
}

// Ask has the parent decrypt a file, or does so itself where there is no such parent. It may change the working directory.
func Ask(path string) ([]byte, error) {
	dir := os.Getenv(ServedIn)
	if dir == "" {
		return decryptAlone(path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.Chdir(dir); err != nil {
		return nil, err
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("ask the agent to decrypt %s: %w", path, err)
	}
	defer conn.Close()
	var said answer
	if err := errors.Join(json.NewEncoder(conn).Encode(path), json.NewDecoder(conn).Decode(&said)); err != nil {
		return nil, fmt.Errorf("ask the agent to decrypt %s: %w", path, err)
	}
	if said.Reason != "" {
		return nil, errors.New(said.Reason)
	}
	return said.Plain, nil
}

func decryptAlone(path string) ([]byte, error) {
	keys, err := TakeKeys("")
	if err != nil {
		return nil, err
	}
	return keys.DecryptFile(path)
}
