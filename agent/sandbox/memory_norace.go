//go:build !race

package sandbox

const limitsMemory = true
