package action

import (
	"context"
	"errors"
	"testing"

	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
)

// TestTheRecordStaysUntilEverythingIsRemoved: Helm deletes it also after an error.
func TestTheRecordStaysUntilEverythingIsRemoved(t *testing.T) {
	hangs := errors.New("timed out")
	for name, test := range map[string]struct {
		begun, stopped bool
		err            error
		kept           bool
	}{
		"all is removed":                      {begun: true},
		"an object does not go":               {begun: true, err: hangs, kept: true},
		"the run is stopped":                  {begun: true, stopped: true, kept: true},
		"the history of an upgrade is capped": {err: hangs},
		"a stopped upgrade caps its history":  {stopped: true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			memory := driver.NewMemory()
			l := &recordingDriver{Driver: memory, ctx: ctx, removal: &removal{}, mask: func(text string) string { return text }}
			revision := &helm.Release{Name: "web", Namespace: "default", Version: 1, Info: &helm.Info{Status: helm.StatusUninstalling}}
			if err := l.Create("sh.helm.release.v1.web.v1", revision); err != nil {
				t.Fatal(err)
			}
			if test.begun {
				l.removal.begin()
			}
			if err := l.removal.note(test.err); !errors.Is(err, test.err) {
				t.Error(err)
			}
			if test.stopped {
				stop()
			}
			_, err := l.Delete("sh.helm.release.v1.web.v1")
			_, missing := memory.Get("sh.helm.release.v1.web.v1")
			if kept := missing == nil; kept != test.kept || errors.Is(err, errRecordKept) != test.kept || test.err != nil && test.kept && !errors.Is(err, test.err) {
				t.Errorf("kept: %t, %v", kept, err)
			}
		})
	}
}
