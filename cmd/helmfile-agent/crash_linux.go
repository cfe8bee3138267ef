package main

import (
	"syscall"
	"unsafe"
)

// A panic that nobody recovers is printed by Go's runtime itself, to standard error, while everything else stands still: no
// code of ours can mask it. What it prints goes through a hook of the runtime instead, which lets pass where the panic
// happened, and keeps its message: that may quote anything. Without the hook nothing of it would be seen at all, because
// standard error is a pipe whose reader dies too.

//go:linkname overrideWrite runtime.overrideWrite
var overrideWrite func(fd uintptr, p unsafe.Pointer, n int32) int32

// crashTo is standard error as the process was given it.
var crashTo uintptr

func withholdCrashes(stderr int) {
	crashTo = uintptr(stderr)
	overrideWrite = writeCrash
}

// The state of the one crash that a process can have. Nothing here may allocate: the runtime calls it in its own last moments.
var (
	crashLine    [1 << 12]byte // the line that was begun; what does not fit is left out
	crashLength  int
	crashKeeping bool // a message, until the stacks begin
)

const withheld = "panic: (the message is not shown: it may hold secrets)\n"

// writeCrash stands in for every write of the runtime: it also wakes its sleeping threads by one, for a timer that is due. Whatever
// is not meant for standard error must get there, and the answer must be that of the system call.
//
//go:nosplit
func writeCrash(fd uintptr, p unsafe.Pointer, n int32) int32 {
	if fd == standardError {
		keepCrash(p, n)
		return n
	}
	written, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(p), uintptr(n))
	if errno != 0 {
		return -int32(errno)
	}
	return int32(written)
}

const standardError = 2

func keepCrash(p unsafe.Pointer, n int32) {
	for i := range int(n) {
		c := *(*byte)(unsafe.Add(p, i))
		if crashLength < len(crashLine) {
			crashLine[crashLength] = c
			crashLength++
		}
		if c == '\n' {
			crashLine[crashLength-1] = '\n'
			endCrashLine()
			crashLength = 0
		}
	}
}

// endCrashLine knows the shape of what the runtime prints: a message's further lines are indented, stacks are not.
func endCrashLine() {
	switch {
	case crashBegins("panic: runtime error: "), crashBegins("panic: interface conversion: "), crashBegins("panic: assignment to entry in nil map"):
		crashKeeping = true // these are the runtime's own words, but what follows could be another's
		passCrash(unsafe.Pointer(&crashLine[0]), crashLength)
	case crashBegins("panic: "):
		crashKeeping = true
		passCrash(unsafe.Pointer(unsafe.StringData(withheld)), len(withheld))
	case crashBegins("goroutine "), crashBegins("[signal "), crashBegins("fatal error: "), crashBegins("runtime stack:"):
		crashKeeping = false
		fallthrough
	default:
		if !crashKeeping {
			passCrash(unsafe.Pointer(&crashLine[0]), crashLength)
		}
	}
}

func crashBegins(with string) bool {
	if crashLength < len(with) {
		return false
	}
	for i := range len(with) {
		if crashLine[i] != with[i] {
			return false
		}
	}
	return true
}

func passCrash(p unsafe.Pointer, n int) {
	_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, crashTo, uintptr(p), uintptr(n)) // nobody is left to be told
}
