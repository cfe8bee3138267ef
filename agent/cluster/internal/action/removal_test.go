package action

import (
	"context"
	"errors"
	"testing"

	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
)

// TestTheRecordStaysWhenAnUninstallationIsInterrupted: Helm deletes it also after an error.
func TestTheRecordStaysWhenAnUninstallationIsInterrupted(t *testing.T) {
	for name, test := range map[string]struct{ removing, stopped, kept bool }{
		"an uninstallation that ends":        {removing: true},
		"an uninstallation that is stopped":  {removing: true, stopped: true, kept: true},
		"a stopped upgrade caps its history": {stopped: true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			memory := driver.NewMemory()
			l := &recordingDriver{Driver: memory, ctx: ctx, removing: test.removing, mask: func(text string) string { return text }}
			revision := &helm.Release{Name: "web", Namespace: "default", Version: 1, Info: &helm.Info{Status: helm.StatusUninstalling}}
			if err := l.Create("sh.helm.release.v1.web.v1", revision); err != nil {
				t.Fatal(err)
			}
			if test.stopped {
				stop()
			}
			_, err := l.Delete("sh.helm.release.v1.web.v1")
			_, missing := memory.Get("sh.helm.release.v1.web.v1")
			if retained := missing == nil; retained != test.kept || errors.Is(err, errRecordKept) != test.kept {
				t.Errorf("retained: %t, %v", retained, err)
			}
		})
	}
}
