// Package protocol is the language between the agent and the loader, which is the process that runs helmfile: one [Input] on the
// loader's standard input, then a sequence of [Message] on its standard output, as package child encodes them.
//
// It may import exit and release.
package protocol

import (
	"errors"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Version is of the encoding. Both sides are the same binary, so another one means a mistake.
const Version = 1

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
	Answer   *Answer
}

// Line is one log line.
type Line struct {
	Level   int // as of log/slog
	Message string
	Pairs   []string // keys and values in turn
}

// Answer is the last message: releases, or why there are none.
type Answer struct {
	Releases   []Release
	PassedOver []string // state files that helmfile ignored, each with the reason
	Code       int      // an exit code; 0 if it could be loaded
	Reason     string
}

// Release is a release whose error travels as a text.
type Release struct {
	release.Desired
	Broken string
}

// Failed is the answer for an error.
func Failed(err error) *Answer { return &Answer{Code: int(exit.Of(err)), Reason: err.Error()} }

// Loaded is the answer for releases.
func Loaded(releases []release.Desired, passedOver []string) *Answer {
	a := &Answer{PassedOver: passedOver}
	for _, want := range releases {
		sent := Release{Desired: want}
		if want.Broken != nil {
			sent.Broken = want.Broken.Error()
		}
		sent.Desired.Broken = nil
		a.Releases = append(a.Releases, sent)
	}
	return a
}

// Open is what the answer holds.
func (a *Answer) Open() ([]release.Desired, error) {
	if a.Reason != "" || a.Code != 0 {
		return nil, exit.With(exit.Code(a.Code), errors.New(a.Reason))
	}
	var releases []release.Desired
	for _, sent := range a.Releases {
		want := sent.Desired
		want.Broken = nil
		if sent.Broken != "" {
			want.Broken = errors.New(sent.Broken)
		}
		releases = append(releases, want)
	}
	return releases, nil
}

// MaxStream is how much a loader may say in all, in bytes.
const MaxStream = 256 << 20
