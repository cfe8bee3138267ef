//go:build race

package sandbox

// limitsMemory is false with the race detector: it reserves terabytes for its notes on memory, and the kernel counts them all.
const limitsMemory = false
