package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

func printHeader() {
	fmt.Println("| releases | run | wall | CPU | peak memory | API requests | from the API server |")
	fmt.Println("|---|---|---|---|---|---|---|")
}

func printRow(n int, name string, f figures) {
	fmt.Printf("| %d | %s | %s | %s | %d MiB | %s | %d KiB |\n", n, name, rounded(f.wall), rounded(f.cpu), f.memory>>20, counts(f.requests), f.received>>10)
}

// printLimit prints the limit, and the ratio of a run to it.
func printLimit(n int, limit time.Duration, quiet figures) {
	fmt.Printf("| %d | the limit: process starts, clone, LISTs | %s | | | | |\n", n, rounded(limit))
	fmt.Printf("| %d | ↳ nothing to do, times the limit | %.1f× | | | | |\n", n, quiet.wall.Seconds()/limit.Seconds())
}

// printRatio prints the figures of helmfile sync divided by those of the agent.
func printRatio(n int, agent, other figures) {
	fmt.Printf("| %d | ↳ times the agent | %.1f× | %.1f× | | %.1f× | %.1f× |\n", n,
		other.wall.Seconds()/agent.wall.Seconds(), other.cpu.Seconds()/agent.cpu.Seconds(),
		float64(total(other.requests))/float64(total(agent.requests)), float64(other.received)/float64(agent.received))
}

func rounded(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }

func counts(requests map[string]int) string {
	var parts []string
	for _, verb := range slices.Sorted(maps.Keys(requests)) {
		parts = append(parts, fmt.Sprintf("%d %s", requests[verb], verb))
	}
	return strings.Join(parts, ", ")
}

func total(requests map[string]int) int {
	sum := 0
	for _, n := range requests {
		sum += n
	}
	return sum
}
