// Package protocol is the language between the agent and the loader, which is the process that runs helmfile: one [Input] on the
// loader's standard input, then a sequence of [Message] on its standard output, as package child frames them, within [Bounds].
//
// It may import exit, release and child.
package protocol

import (
	"errors"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Version is of the encoding. Both sides are the same binary, so another one means a mistake.
const Version = 1

// Bounds are what the agent reads of the loader: a file of 16 MiB, with room for what surrounds it, is one message.
var Bounds = child.Bounds{Frame: 18 << 20, Stream: 256 << 20, Elements: 2 << 20}

// Input is everything that the loader is told.
type Input struct {
	Version int

	Dir                             string // the checkout, without symbolic links
	Path                            string
	Environment                     string
	Selectors                       []string
	StateValuesSet, StateValuesFile []string
	Namespace                       string // where releases go that name no namespace
	KubeContext                     string // the one context that a helmfile may name; empty allows none
	Concurrency                     int

	Workspace string // the loader's own directory, where it may write
	Charts    string // the agent's downloads, which it may read

	Sandbox  string   // auto, required or off
	Readable []string // further files and directories that it may read
	Proxy    int      // the port of the proxy through which everything remote goes
	Ports    []int    // of permitted servers on this machine, which clients reach without a proxy
	Deadline time.Time
	Memory   int64         // bytes; 0 sets no limit
	CPU      time.Duration // 0 sets no limit
}

// Message is one thing that the loader says; exactly one field is set.
type Message struct {
	Learn    any    // a secret, or a document of secrets, before any text that may hold it
	Plain    []byte // a file of secrets, likewise
	Log      *Line  // of helmfile
	File     string // the state file that is being read
	Confined string // what the kernel protects, in words
	Release  *Release
	Answer   *Answer
}

// Line is one log line.
type Line struct {
	Level   int // as of log/slog
	Message string
	Pairs   []string // keys and values in turn
}

// Answer is the last message. It follows the releases, or says why there are none.
type Answer struct {
	Loaded     bool
	PassedOver []string // state files that helmfile ignored, each with the reason
	Code       int      // an exit code, unless it could be loaded
	Reason     string
}

// Err is why nothing was loaded.
func (a *Answer) Err() error {
	if a.Loaded && a.Code == 0 && a.Reason == "" {
		return nil
	}
	return exit.Received(a.Code, a.Reason)
}

// Failed is the answer for an error.
func Failed(err error) *Answer { return &Answer{Code: int(exit.Of(err)), Reason: err.Error()} }

// Release is a release whose error travels as a text.
type Release struct {
	release.Desired
	Broken string
}

// Pack makes a release ready to be sent.
func Pack(want release.Desired) *Release {
	sent := &Release{Desired: want}
	if want.Broken != nil {
		sent.Broken = want.Broken.Error()
	}
	sent.Desired.Broken = nil
	return sent
}

// Unpack is the release as it was packed.
func (r *Release) Unpack() release.Desired {
	want := r.Desired
	want.Broken = nil
	if r.Broken != "" {
		want.Broken = errors.New(r.Broken)
	}
	return want
}
