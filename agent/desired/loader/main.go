package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/states"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// Name is the name of the binary when it is the loader.
const Name = "helmfile-agent-loader"

// Main reads a [protocol.Input] from stdin, confines this process, loads the helmfile and writes messages to stdout. The last message is
// the answer. It returns the exit code of the process: 0 if the answer was written.
func Main(stdin io.Reader, stdout io.Writer) int {
	out := child.NewWriter(stdout, protocol.Bounds)
	os.Stdout = os.Stderr // helmfile and chartify print to it
	input, err := receive(stdin)
	if errors.Is(err, io.EOF) {
		return 0 // the agent ended before it sent the input
	}
	var answer *protocol.Answer
	if err != nil {
		answer = protocol.Failed(err)
	} else {
		answer = run(input, out)
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
		return input, fmt.Errorf("the agent uses version %d of the protocol, and the loader uses version %d", input.Version, protocol.Version)
	}
	go exitWithAgent(stdin)
	return input, nil
}

// exitWithAgent ends this process when the pipe is closed. The agent closes it, at the latest when the agent ends.
func exitWithAgent(stdin io.Reader) {
	_, _ = io.Copy(io.Discard, stdin)
	os.Exit(int(exit.Terminated))
}

// run loads the helmfile in this process and sends the releases.
func run(input protocol.Input, out *child.Writer) *protocol.Answer {
	if err := confine(input, out); err != nil {
		return protocol.Failed(err)
	}
	ctx, cancel := context.WithDeadline(context.Background(), input.Deadline)
	defer cancel()
	result, err := states.Load(ctx, states.Request{
		Input:  input,
		Roots:  roots(input),
		Agent:  broker.Dial(input.Workspace),
		Output: output{out},
		Log:    slog.New(logHandler{out: out}),
	})
	if err != nil {
		return protocol.Failed(err)
	}
	for _, want := range result.Releases {
		if err := out.Send(protocol.Message{Release: protocol.Pack(want)}); err != nil {
			return protocol.Failed(exit.With(exit.DesiredInvalid, fmt.Errorf("load helmfile: send the release %s: %w", want.Key, err)))
		}
	}
	return &protocol.Answer{Loaded: true, SkippedFiles: result.SkippedFiles}
}

// confine restricts this process and its children, and says how. Nothing of the repository is read before.
func confine(input protocol.Input, out *child.Writer) error {
	makeFilesPrivate()
	if err := setChildEnvironment(input); err != nil {
		return fmt.Errorf("prepare the environment: %w", err)
	}
	protection, err := sandbox.Confine(input.Sandbox, rules(input))
	if err != nil {
		return exit.With(exit.ConfigInvalid, err)
	}
	useProxy(input.Proxy)
	return out.Send(protocol.Message{Confined: protection})
}

// roots returns the directories and files that the helmfile may name.
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
		Read:       slices.Concat([]string{input.Workspace, input.Charts}, input.Readable, sandbox.System),
		// The checkout is a copy for this run. helmfile writes decrypted files beside the encrypted ones.
		Write:  append(writableDirs(input.Workspace), input.Dir),
		Ports:  append([]int{input.Proxy}, input.Ports...),
		Memory: input.Memory,
		CPU:    input.CPU,
	}
}
