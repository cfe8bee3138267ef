package action

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
)

// removal is what went wrong while a release was uninstalled. Helm waits for objects to disappear and runs the hooks that come last,
// and removes the record also when that fails: the objects would belong to no release any more, and no later run would remove them.
type removal struct {
	mu    sync.Mutex
	begun bool // the operation is an uninstallation
	err   error
}

func (r *removal) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun = true
}

// note keeps the first error, and returns it.
func (r *removal) note(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = cmp.Or(r.err, err)
	return err
}

var errRecordKept = errors.New("its record is kept, so that the next run continues to uninstall it")

// incomplete is an error if something is left of the release, or if the operation was interrupted.
func (r *removal) incomplete(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.begun:
		return nil
	case r.err != nil:
		return fmt.Errorf("%w: %w", errRecordKept, r.err)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", errRecordKept, context.Cause(ctx))
	}
	return nil
}
