package agent

import "context"

// both does two things at once. Their errors count as if one had been done after the other: the first one's before the second's, which
// is told to stop when the first fails. A panic of either reaches the caller.
func both(ctx context.Context, first, second func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type end struct {
		err   error
		panic any
	}
	ended := make(chan end, 1)
	go func() {
		var e end
		defer func() {
			e.panic = recover()
			ended <- e
		}()
		e.err = second(ctx)
	}()
	if err := first(ctx); err != nil {
		cancel()
		<-ended
		return err
	}
	e := <-ended
	if e.panic != nil {
		panic(e.panic)
	}
	return e.err
}
