package child

import (
	"testing"
	"time"
)

func TestDeadlineReachesChildren(t *testing.T) {
	t.Setenv(deadlineVariable, "") // restores the variable after the test
	ctx, cancel := ParentDeadline(t.Context())
	defer cancel()
	if got, set := ctx.Deadline(); set {
		t.Errorf("no deadline was exported, but it is %s", got)
	}
	want := time.Now().Add(time.Hour)
	if err := ExportDeadline(want); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = ParentDeadline(t.Context())
	defer cancel()
	if got, set := ctx.Deadline(); !set || !got.Equal(want) {
		t.Errorf("the deadline is %s, want %s", got, want)
	}
}
