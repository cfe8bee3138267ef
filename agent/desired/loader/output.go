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

// reporter is told of secrets before any text that may hold them leaves.
type reporter interface {
	Add(values ...string)
	AddLeaves(document any)
	AddDocument(plain []byte)
	File(name string)
}

// teller tells the agent. If the agent is gone, this process ends too.
type teller struct{ out *child.Writer }

func (t teller) Add(values ...string) {
	for _, value := range values {
		if value != "" {
			t.AddLeaves(value)
		}
	}
}

func (t teller) AddLeaves(document any) {
	if document != nil {
		t.tell(protocol.Message{Secret: protocol.WithStringKeys(document)})
	}
}

// AddDocument tells of a whole file of secrets.
func (t teller) AddDocument(plain []byte) {
	if len(plain) > 0 {
		t.tell(protocol.Message{SecretFile: plain})
	}
}

// tell sends a secret. The agent must not get a text with a secret that it does not know, so without this message no other one follows
// but the answer.
func (t teller) tell(secret protocol.Message) {
	if err := t.out.Send(secret); err != nil {
		why := exit.With(exit.DesiredInvalid, fmt.Errorf("load helmfile: send secrets to the agent, which masks them: %w", err))
		_ = t.out.Send(protocol.Message{Answer: protocol.Failed(why)}) // if the agent is gone, it needs no answer
		os.Exit(int(exit.DesiredInvalid))
	}
}

// File says which state file is being read, should this process not survive it.
func (t teller) File(name string) { _ = t.out.Send(protocol.Message{File: name}) }

// logHandler sends what is logged to the agent, which masks it.
type logHandler struct {
	out   *child.Writer
	pairs []string
}

func (h logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h logHandler) Handle(_ context.Context, record slog.Record) error {
	pairs := append([]string{}, h.pairs...)
	record.Attrs(func(a slog.Attr) bool {
		pairs = append(pairs, a.Key, fmt.Sprint(a.Value.Any()))
		return true
	})
	return h.out.Send(protocol.Message{Log: &protocol.LogLine{Level: int(record.Level), Message: record.Message, Pairs: pairs}})
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		h.pairs = append(h.pairs[:len(h.pairs):len(h.pairs)], a.Key, fmt.Sprint(a.Value.Any()))
	}
	return h
}

func (h logHandler) WithGroup(string) slog.Handler { return h }
