// Command demo runs the agent on a real control plane and shows the results. It needs no root, no network and no cluster. It ends by itself;
// with -keep, it ends when it is interrupted.
//
// `make demo` builds the binaries: the control plane, the agent, and helm, which shows the releases independently of the agent.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// limit is the longest time of the whole demo. It usually needs less than a minute.
const limit = 5 * time.Minute

func main() {
	bin := flag.String("bin", "bin", "directory with the binaries controlplane, helmfile-agent and helm")
	example := flag.String("example", "examples/quickstart", "directory whose helmfile is deployed")
	keep := flag.Bool("keep", false, "keep the cluster running after the last chapter, until interrupted")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *bin, *example, *keep)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin, example string, keep bool) (err error) {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s, err := newStage(bounded, bin, example)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, chapter := range chapters {
		if err := s.play(bounded, chapter); err != nil {
			return fmt.Errorf("%s: %w", chapter.title, err)
		}
	}
	fmt.Printf("\nThis is the end of the demo. Each run was one process, as a CronJob would start it, with the user %s, who has rights in one namespace only.\n", user)
	if keep {
		s.wait(ctx)
	}
	return nil
}
