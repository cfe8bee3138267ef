// Command bench measures whole runs of the agent and of helmfile sync on a real control plane, and prints a table in Markdown. `make
// bench` runs it, and docs/performance.md explains the numbers.
//
// Times depend on the machine. Counts, and ratios within one run, are more useful.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// longest limits the time of the whole measurement.
const longest = time.Hour

func main() {
	bin := flag.String("bin", "bin", "directory with the binaries controlplane, helmfile-agent, helm and helmfile")
	sizes := flag.String("releases", "10,100,1000", "numbers of releases to measure with")
	helmfileUpTo := flag.Int("helmfile-up-to", 100, "largest number of releases that helmfile sync is measured with too")
	repeat := flag.Int("repeat", 3, "runs of each kind; the fastest is printed")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, longest)
	err := bench(ctx, *bin, *sizes, *helmfileUpTo, *repeat)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, bin, sizes string, helmfileUpTo, repeat int) (err error) {
	s, err := newStage(ctx, bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	printHeader()
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			return fmt.Errorf("number of releases: %w", err)
		}
		if err := s.measure(ctx, n, repeat, n <= helmfileUpTo); err != nil {
			return fmt.Errorf("%d releases: %w", n, err)
		}
	}
	return nil
}
