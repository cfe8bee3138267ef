// Package protocol has the messages between the agent and the loader, which is the process that runs helmfile. The agent writes one
// [Input] to the loader's standard input. The loader writes several [Message]s to its standard output. Package child frames them, within
// [Bounds].
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

// Version is the version of the protocol. Both processes run the same binary, so a different version is a programming error.
const Version = 1

// Bounds limits what the agent reads from the loader. One message can contain a file of 16 MiB.
var Bounds = child.Bounds{Frame: 18 << 20, Stream: 256 << 20, Elements: 2 << 20}

// Input tells the loader what to load.
type Input struct {
	Version int

	Dir                             string // the checkout, without symbolic links
	Path                            string // the state file or directory in the checkout; empty for helmfile's own search
	Environment                     string
	Selectors                       []string
	StateValuesSet, StateValuesFile []string
	Namespace                       string // of releases that name none
	KubeContext                     string // the only context that a helmfile may name; empty allows none
	Concurrency                     int

	Workspace string // the loader's own directory; it may write to parts of it
	Charts    string // the directory of the agent's downloads, which the loader may read

	Sandbox  string   // auto, required or off
	Readable []string // other files and directories that the loader may read
	Proxy    int      // the port of the proxy for all remote hosts
	Ports    []int    // ports of allowed servers on this machine, which clients reach without the proxy
	Deadline time.Time
	Memory   int64         // in bytes; 0 sets no limit
	CPU      time.Duration // 0 sets no limit
}

// Message is one message of the loader. Exactly one field is set.
type Message struct {
	Secret     any      // a secret, or a document of secrets; sent before any text that may contain it
	SecretFile []byte   // a file of secrets; sent before any text that may contain them
	Log        *LogLine // a log line of helmfile
	File       string   // the file that helmfile reads next
	Confined   string   // how the kernel confines the loader
	Release    *Release
	Answer     *Answer
}

// LogLine is a log line.
type LogLine struct {
	Level   int // a slog.Level
	Message string
	Pairs   []string // keys and values by turns
}

// Answer is the last message. It follows the releases, or says why there are none.
type Answer struct {
	Loaded       bool
	SkippedFiles []string // state files that helmfile skipped, each with the reason
	Code         int      // the exit code, if the helmfile was not loaded
	Reason       string
}

// Err returns why the helmfile was not loaded; nil if it was.
func (a *Answer) Err() error {
	if a.Loaded && a.Code == 0 && a.Reason == "" {
		return nil
	}
	return exit.Received(a.Code, a.Reason)
}

// Failed returns the answer for an error.
func Failed(err error) *Answer { return &Answer{Code: int(exit.Of(err)), Reason: err.Error()} }

// Release is a release whose error is sent as a text.
type Release struct {
	release.Desired
	Broken string
}

// Pack converts a release for sending.
func Pack(want release.Desired) *Release {
	packed := &Release{Desired: want}
	if want.Broken != nil {
		packed.Broken = want.Broken.Error()
	}
	packed.Desired.Broken = nil
	return packed
}

// Unpack returns the release that was packed.
func (r *Release) Unpack() release.Desired {
	want := r.Desired
	want.Broken = nil
	if r.Broken != "" {
		want.Broken = errors.New(r.Broken)
	}
	return want
}
