package loader

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
)

// readMessages returns all messages that were written.
func readMessages(t *testing.T, written io.Reader) []protocol.Message {
	t.Helper()
	in := child.NewReader(written, protocol.Bounds)
	var all []protocol.Message
	for {
		var message protocol.Message
		err := in.Next(&message)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, message)
	}
}

func TestOutput(t *testing.T) {
	var wire bytes.Buffer
	o := output{child.NewWriter(&wire, protocol.Bounds)}
	o.Add("one", "", "two")
	o.AddLeaves(nil)
	o.AddLeaves(map[any]any{1: "three"})
	o.AddDocument(nil)
	o.AddDocument([]byte("a: four\n"))
	o.File("helmfile.yaml")
	want := []protocol.Message{
		{Secret: "one"}, {Secret: "two"}, {Secret: map[string]any{"1": "three"}}, {SecretFile: []byte("a: four\n")}, {File: "helmfile.yaml"},
	}
	if diff := cmp.Diff(want, readMessages(t, &wire)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLogHandler(t *testing.T) {
	var wire bytes.Buffer
	log := slog.New(logHandler{out: child.NewWriter(&wire, protocol.Bounds)}).With("file", "helmfile.yaml")
	one, two := log.With("part", 1), log.With("part", 2)
	one.Warn("slow", "seconds", 1.5)
	two.Debug("done")
	want := []protocol.Message{
		{Log: &protocol.LogLine{Level: 4, Message: "slow", Pairs: []string{"file", "helmfile.yaml", "part", "1", "seconds", "1.5"}}},
		{Log: &protocol.LogLine{Level: -4, Message: "done", Pairs: []string{"file", "helmfile.yaml", "part", "2"}}},
	}
	if diff := cmp.Diff(want, readMessages(t, &wire)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
