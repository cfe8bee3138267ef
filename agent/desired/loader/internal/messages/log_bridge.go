package messages

import (
	"context"
	"log/slog"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

// LogBridge passes helmfile's log lines on to the agent's log. It drops debug lines, because they contain whole states with decrypted
// values.
type LogBridge struct {
	Log          *slog.Logger
	ShortenPaths func(text string) string
	// OnUnreadable gets the reason why a secret cannot be decrypted, instead of the log. For the secrets of an environment, the error that
	// helmfile returns says only how many failed.
	OnUnreadable func(reason string)
	// OnLog gets each message before the log does.
	OnLog func(message string)
}

// Logger returns the logger for helmfile.
func (b LogBridge) Logger() *zap.SugaredLogger {
	return zap.New(zapCore{LevelEnabler: zapcore.InfoLevel, LogBridge: b}).Sugar()
}

// zapCore implements zapcore.Core.
type zapCore struct {
	zapcore.LevelEnabler
	LogBridge
}

// With implements zapcore.Core. helmfile does not use fields.
func (c zapCore) With([]zapcore.Field) zapcore.Core { return c }

// Check implements zapcore.Core.
func (c zapCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

// Write implements zapcore.Core.
func (c zapCore) Write(entry zapcore.Entry, _ []zapcore.Field) error {
	if reason := decryptionFailure(entry.Message); reason != "" {
		c.OnUnreadable(reason)
		return nil
	}
	c.OnLog(entry.Message)
	level := slog.LevelDebug
	if entry.Level >= zapcore.WarnLevel {
		level = slog.LevelWarn
	}
	c.Log.Log(context.Background(), level, "helmfile", "message", c.ShortenPaths(entry.Message))
	return nil
}

// Sync implements zapcore.Core.
func (c zapCore) Sync() error { return nil }

// decryptionFailure finds in a message what the child process that decrypts wrote to standard error; empty if there is nothing.
func decryptionFailure(message string) string {
	at := strings.Index(message, secrets.DecryptErrorPrefix)
	if at < 0 {
		return ""
	}
	reason, _, _ := strings.Cut(message[at:], "\n\nCOMBINED OUTPUT:")
	return strings.ReplaceAll(reason, "\n  ", "\n") // helmfile indents the output
}
