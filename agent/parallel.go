package agent

import "context"

// inParallel calls two functions at the same time, and returns when both have ended, even if the first one panics. An error of the first
// function counts before an error of the second, as if they had been called in this order. If the first fails, the context of the second
// is cancelled. A panic of either function reaches the caller.
func inParallel(ctx context.Context, first, second func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	var err error
	var panicked any
	go func() {
		defer close(ended)
		defer func() { panicked = recover() }()
		err = second(ctx)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	if err := first(ctx); err != nil {
		return err
	}
	<-ended
	if panicked != nil {
		panic(panicked)
	}
	return err
}
