package messages

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lines records what happens, in order.
type lines struct {
	slog.Handler
	all []string
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }

func (l *lines) Handle(_ context.Context, record slog.Record) error {
	line := fmt.Sprintf("%s %s", record.Level, record.Message)
	record.Attrs(func(a slog.Attr) bool {
		line += fmt.Sprintf(" %s=%s", a.Key, a.Value)
		return true
	})
	l.all = append(l.all, line)
	return nil
}

func TestLogBridge(t *testing.T) {
	got := &lines{}
	logger := LogBridge{
		Log:          slog.New(got),
		ShortenPaths: func(text string) string { return strings.ReplaceAll(text, "/tmp/run/checkout/", "") },
		OnUnreadable: func(reason string) { got.all = append(got.all, "unreadable: "+reason) },
		OnLog:        func(message string) { got.all = append(got.all, "on log: "+message) },
	}.Logger()
	logger.Debugf("values: %v", map[string]string{"password": "s3cret"})
	logger.Info("read /tmp/run/checkout/helmfile.yaml")
	logger.With("ignored", 1).Warnf("no matches for path: %s", "apps")
	logger.Error("command \"helm\" exited with non-zero status:\n\nSTDERR:\n  Error: cannot decrypt a.yaml: no key\n\nCOMBINED OUTPUT:\n  Error: cannot")
	logger.Error("failed")
	want := []string{
		"on log: read /tmp/run/checkout/helmfile.yaml", "DEBUG helmfile message=read helmfile.yaml",
		"on log: no matches for path: apps", "WARN helmfile message=no matches for path: apps",
		"unreadable: cannot decrypt a.yaml: no key",
		"on log: failed", "WARN helmfile message=failed",
	}
	if diff := cmp.Diff(want, got.all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecryptionFailure(t *testing.T) {
	for message, want := range map[string]string{
		"decrypted a.yaml": "",
		"command \"helm\" exited with non-zero status:\n\nSTDERR:\n  Error: decrypt a.yaml: cannot decrypt a.yaml: no key\n  Group 0\n\n" +
			"COMBINED OUTPUT:\n  Error": "cannot decrypt a.yaml: no key\nGroup 0",
		"cannot decrypt a.yaml: no key": "cannot decrypt a.yaml: no key",
	} {
		if got := decryptionFailure(message); got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	}
}
