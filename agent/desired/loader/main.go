package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// Name is what the agent's binary is called by when it is the loader.
const Name = "helmfile-agent-loader"

// Main reads an [protocol.Input] from stdin, confines this process, loads the helmfile, and writes messages to stdout, the last of
// which is the answer. It returns the exit code of the process: 0 if an answer was written.
func Main(stdin io.Reader, stdout io.Writer) int {
	out := child.NewWriter(stdout, protocol.Bounds)
	os.Stdout = os.Stderr // helmfile and chartify print here and there
	input, err := receive(stdin)
	if errors.Is(err, io.EOF) {
		return 0 // the agent ended before there was anything to load
	}
	var answer *protocol.Answer
	if err != nil {
		answer = protocol.Failed(err)
	} else {
		answer = work(input, out)
	}
	if err := out.Send(protocol.Message{Answer: answer}); err != nil {
		fmt.Fprintln(os.Stderr, "send the answer:", err)
		return 1
	}
	return 0
}

func receive(stdin io.Reader) (protocol.Input, error) {
	var input protocol.Input
	if err := child.NewReader(stdin, child.Trusted).Next(&input); err != nil {
		return input, err
	}
	if input.Version != protocol.Version {
		return input, fmt.Errorf("the agent speaks version %d, and the loader version %d", input.Version, protocol.Version)
	}
	go endWith(stdin)
	return input, nil
}

// endWith ends this process when the agent closes the pipe, which it does at the latest by ending.
func endWith(stdin io.Reader) {
	_, _ = io.Copy(io.Discard, stdin)
	os.Exit(int(exit.Terminated))
}

func work(input protocol.Input, out *child.Writer) *protocol.Answer {
	privateFiles()
	if err := tellChildren(input); err != nil {
		return protocol.Failed(fmt.Errorf("prepare the environment: %w", err))
	}
	confined, err := sandbox.Confine(input.Sandbox, rules(input))
	if err != nil {
		return protocol.Failed(exit.With(exit.ConfigInvalid, err))
	}
	if err := out.Send(protocol.Message{Confined: confined}); err != nil {
		return protocol.Failed(err)
	}
	askTheProxy(input.Proxy)
	ctx, cancel := context.WithDeadline(context.Background(), input.Deadline)
	defer cancel()
	set, err := load(ctx, request{
		Input:  input,
		roots:  roots(input),
		agent:  broker.Dial(input.Workspace),
		report: teller{out},
		log:    slog.New(logHandler{out: out}),
	})
	if err != nil {
		return protocol.Failed(err)
	}
	for _, want := range set.releases {
		if err := out.Send(protocol.Message{Release: protocol.Pack(want)}); err != nil {
			return protocol.Failed(exit.With(exit.DesiredInvalid, fmt.Errorf("load helmfile: send the release %s: %w", want.Key, err)))
		}
	}
	return &protocol.Answer{Loaded: true, SkippedFiles: set.passedOver}
}

// roots are what the helmfile may name paths in.
func roots(input protocol.Input) sandbox.Roots {
	return append(sandbox.Roots{input.Dir, input.Workspace, input.Charts}, input.Readable...)
}

func rules(input protocol.Input) sandbox.Rules {
	self, err := os.Executable()
	if err != nil {
		self = "/proc/self/exe"
	}
	return sandbox.Rules{
		Executable: self,
		Read:       append(append([]string{input.Workspace, input.Charts}, input.Readable...), sandbox.System...),
		// The checkout is the run's own copy. helmfile writes what it decrypts beside the encrypted file.
		Write:  append(writable(input.Workspace), input.Dir),
		Ports:  append([]int{input.Proxy}, input.Ports...),
		Memory: input.Memory,
		CPU:    input.CPU,
	}
}
