//go:build linux

package node

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/node/enclosure"
)

// control is the cluster of this package's tests. Each test has its own namespaces.
var control *cluster.Cluster

// atOnce is the number of tests that run in parallel: all of them.
const atOnce = "40"

// binaries is the directory of the files that `make` builds.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(enclosure.Run(func(cgroup string) int { return withNode(m, cgroup) }))
}

func withNode(m *testing.M, cgroup string) int {
	var err error
	if control, err = startNode(cgroup); err == nil {
		err = startServers() // on the bridge, which the node has created
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "start the node:", err)
		return 1
	}
	// Tests mostly wait for pods and for the next minute, so all of them can run in parallel.
	flag.Parse()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// The enclosure ends everything that still runs.
	return m.Run()
}

func startNode(cgroup string) (*cluster.Cluster, error) {
	found, err := cluster.FindBinary()
	if err != nil {
		return nil, err
	}
	binaries = filepath.Dir(found)
	for _, built := range []string{"helm", "node", "debian", "pause", "image.tar"} {
		if _, err := os.Stat(filepath.Join(binaries, built)); err != nil {
			return nil, fmt.Errorf("find what a node needs (make it with `make node`): %w", err)
		}
	}
	pause := filepath.Join(os.TempDir(), "pause.tar")
	if err := pauseArchive(filepath.Join(binaries, "pause"), pause); err != nil {
		return nil, fmt.Errorf("make the pause image: %w", err)
	}
	return cluster.Start(context.Background(), cluster.Options{
		Binary: found,
		Dir:    filepath.Join(os.TempDir(), "cluster"),
		Log:    os.Stderr,
		Node: &cluster.Node{
			Binary: filepath.Join(binaries, "node"),
			Tools:  filepath.Join(binaries, "debian"),
			Images: []string{pause, filepath.Join(binaries, "image.tar")},
			CGroup: cgroup,
		},
	})
}
