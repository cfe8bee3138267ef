package desired

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newZap is the logger that helmfile wants, writing to ours. helmfile's debug lines are dropped at every level: they
// print whole states and values, decrypted ones among them.
func newZap(log *slog.Logger) *zap.SugaredLogger {
	return zap.New(&zapBridge{LevelEnabler: zapcore.InfoLevel, log: log}).Sugar()
}

type zapBridge struct {
	zapcore.LevelEnabler
	log *slog.Logger
}

func (z *zapBridge) With([]zapcore.Field) zapcore.Core { return z }

func (z *zapBridge) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if z.Enabled(entry.Level) {
		return checked.AddCore(entry, z)
	}
	return checked
}

func (z *zapBridge) Write(entry zapcore.Entry, _ []zapcore.Field) error {
	level := slog.LevelDebug
	if entry.Level >= zapcore.WarnLevel {
		level = slog.LevelWarn
	}
	z.log.Log(context.Background(), level, "helmfile", "message", entry.Message)
	return nil
}

func (z *zapBridge) Sync() error { return nil }
