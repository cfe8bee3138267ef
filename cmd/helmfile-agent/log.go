package main

import (
	"fmt"
	"io"
	stdlog "log"
	"log/slog"

	"k8s.io/klog/v2"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
)

// newLog masks each value before the handler quotes it. The mask would not find a secret that was quoted twice.
func newLog(w io.Writer, cfg config.Config, mask func(string) string) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.LogLevel, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		a.Value = maskValue(a.Value.Resolve(), mask)
		return a
	}}
	if cfg.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}

func maskValue(value slog.Value, mask func(string) string) slog.Value {
	switch value.Kind() {
	case slog.KindString:
		return slog.StringValue(mask(value.String()))
	case slog.KindAny:
		switch v := value.Any().(type) {
		case error:
			return slog.StringValue(mask(v.Error()))
		case fmt.Stringer:
			return slog.StringValue(mask(v.String()))
		}
	}
	return value
}

// captureLogs sends the logs of libraries through our log and its mask. Kubernetes' client uses klog, and Helm uses Go's standard
// logger.
func captureLogs(log *slog.Logger) {
	klog.SetSlogLogger(log)
	std := slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	stdlog.SetFlags(0)
	stdlog.SetOutput(std.Writer())
}
