package main

import (
	"encoding/base64"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/mask"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// TestTerminationMessageIsMasked puts a secret where the termination message is cut, and logs it with quotes.
func TestTerminationMessageIsMasked(t *testing.T) {
	for form, text := range map[string]string{
		"plain":  canary,
		"quoted": strconv.Quote(canary),
		"base64": base64.StdEncoding.EncodeToString([]byte(canary)),
	} {
		for _, before := range []int{0, 3900, 3950, 4000, 4050} {
			var stderr strings.Builder
			mask := &mask.Mask{}
			mask.Add(canary)
			s := session{mask: mask}
			s.log = newLog(mask.Writer(&stderr), s.cfg, mask.String)
			log := useTerminationLog(t)
			err := errors.New(strings.Repeat("x", before) + " " + text + " after")
			s.log.Error("it failed", "error", err, "value", slog.AnyValue(err), "text", strconv.Quote(text))
			s.writeTerminationMessage(report.Report{Command: "run", Err: exit.With(exit.ReleasesFailed, err)}.Masked(mask.String).Termination(terminationLimit))
			message := read(t, log)
			if shown := message + stderr.String(); strings.Contains(shown, "horse") || strings.Contains(shown, "Y29ycmVj") {
				t.Errorf("%s after %d bytes: %s", form, before, shown)
			}
			if message == "" || len(message) > terminationLimit || !strings.Contains(stderr.String(), "********") {
				t.Errorf("%s after %d bytes: the termination message has %d bytes: %s", form, before, len(message), stderr.String())
			}
		}
	}
}
