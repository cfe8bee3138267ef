package kube

import (
	"context"
	"errors"
	"testing"
)

func TestRefusalsDoNotRepeatObjects(t *testing.T) {
	err := UserError(t.Context(), errors.New(`"" is invalid: patch: Invalid value: "{\"kind\":\"Secret\",\"data\":{\"password\":\"b3Blbg==\"}}": json: cannot unmarshal`))
	if want := `"" is invalid: patch: Invalid value: (the object): json: cannot unmarshal`; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestAnInterruptionSaysWhatInterrupted(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errors.New("stopped by signal: terminated"))
	err := UserError(ctx, context.Canceled)
	if want := "interrupted, and tried again by the next run: stopped by signal: terminated"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
