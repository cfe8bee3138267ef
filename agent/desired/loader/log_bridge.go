package loader

import (
	"context"
	"log/slog"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

// newZap is the logger that helmfile wants, writing to ours. helmfile's debug lines are dropped at every level: they
// print whole states and values, decrypted ones among them. Why a secret cannot be read goes to unreadable instead: of an
// environment's secrets the error that helmfile returns only says how many.
func newZap(log *slog.Logger, short func(string) string, unreadable func(reason string), hear func(message string)) *zap.SugaredLogger {
	return zap.New(&zapBridge{LevelEnabler: zapcore.InfoLevel, log: log, short: short, unreadable: unreadable, hear: hear}).Sugar()
}

type zapBridge struct {
	zapcore.LevelEnabler
	log        *slog.Logger
	short      func(string) string
	unreadable func(reason string)
	hear       func(message string) // before the message leaves
}

func (z *zapBridge) With([]zapcore.Field) zapcore.Core { return z }

func (z *zapBridge) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if z.Enabled(entry.Level) {
		return checked.AddCore(entry, z)
	}
	return checked
}

func (z *zapBridge) Write(entry zapcore.Entry, _ []zapcore.Field) error {
	if reason := unreadable(entry.Message); reason != "" {
		z.unreadable(reason)
		return nil
	}
	z.hear(entry.Message)
	level := slog.LevelDebug
	if entry.Level >= zapcore.WarnLevel {
		level = slog.LevelWarn
	}
	z.log.Log(context.Background(), level, "helmfile", "message", z.short(entry.Message))
	return nil
}

func (z *zapBridge) Sync() error { return nil }

// unreadable finds what the child process that should decrypt a secret wrote to its standard error.
func unreadable(message string) string {
	at := strings.Index(message, secrets.DecryptErrorPrefix)
	if at < 0 {
		return ""
	}
	reason, _, _ := strings.Cut(message[at:], "\n\nCOMBINED OUTPUT:")
	return strings.ReplaceAll(reason, "\n  ", "\n") // helmfile indents it
}
