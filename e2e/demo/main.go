// Command demo runs the agent's main job on a real control plane and shows what happens. It needs no root, no network
// and no cluster; it ends by itself, or with -keep when it is interrupted.
//
// The binaries come from `make demo`: the control plane, the agent, and the helm command line as an independent witness.
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

// limit is how long the whole demo may take; it takes well under a minute.
const limit = 5 * time.Minute

func main() {
	bin := flag.String("bin", "bin", "directory with the binaries controlplane, helmfile-agent and helm")
	example := flag.String("example", "examples/quickstart", "directory whose helmfile is deployed")
	keep := flag.Bool("keep", false, "keep the cluster running after the last chapter, until interrupted")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *bin, *example, *keep); err != nil {
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
	fmt.Printf("\nThat was it: every run was one process, as the CronJob would start it, acting as %s with rights in one namespace only.\n", user)
	if keep {
		s.wait(ctx)
	}
	return nil
}
