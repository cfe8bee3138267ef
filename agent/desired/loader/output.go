package loader

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// output sends secrets and progress to the agent.
type output struct{ out *child.Writer }

// Add sends single secrets.
func (o output) Add(values ...string) {
	for _, value := range values {
		if value != "" {
			o.AddLeaves(value)
		}
	}
}

// AddLeaves sends a document all of whose values are secret.
func (o output) AddLeaves(document any) {
	if document != nil {
		o.sendSecret(protocol.Message{Secret: protocol.WithStringKeys(document)})
	}
}

// AddDocument sends a file of secrets.
func (o output) AddDocument(plain []byte) {
	if len(plain) > 0 {
		o.sendSecret(protocol.Message{SecretFile: plain})
	}
}

// sendSecret ends this process if the agent does not get the secret: the agent could not mask it in the messages that follow.
func (o output) sendSecret(message protocol.Message) {
	if err := o.out.Send(message); err != nil {
		err = exit.With(exit.DesiredInvalid, fmt.Errorf("load helmfile: send secrets to the agent, which masks them: %w", err))
		_ = o.out.Send(protocol.Message{Answer: protocol.Failed(err)}) // this fails only if the agent has ended
		os.Exit(int(exit.DesiredInvalid))
	}
}

// File sends the name of the file that helmfile reads next. The agent reports it if this process ends without an answer.
func (o output) File(name string) { _ = o.out.Send(protocol.Message{File: name}) }

// logHandler sends log lines to the agent, which masks them.
type logHandler struct {
	out   *child.Writer
	pairs []string
}

// Enabled implements slog.Handler.
func (h logHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (h logHandler) Handle(_ context.Context, record slog.Record) error {
	pairs := append([]string{}, h.pairs...)
	record.Attrs(func(a slog.Attr) bool {
		pairs = append(pairs, a.Key, fmt.Sprint(a.Value.Any()))
		return true
	})
	return h.out.Send(protocol.Message{Log: &protocol.LogLine{Level: int(record.Level), Message: record.Message, Pairs: pairs}})
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		h.pairs = append(h.pairs[:len(h.pairs):len(h.pairs)], a.Key, fmt.Sprint(a.Value.Any()))
	}
	return h
}

// WithGroup implements slog.Handler. The loader uses no groups.
func (h logHandler) WithGroup(string) slog.Handler { return h }
