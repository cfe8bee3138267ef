package crash

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestTheRuntimesWords makes Go's runtime panic, and fails when it changes the words that are shown. docs/error-texts.md lists them.
func TestTheRuntimesWords(t *testing.T) {
	var (
		zero, five  = 0, 5
		empty       []int
		nilMap      map[string]int
		nilChannel  chan int
		nilPointer  *struct{ n int }
		aSlice      any = []int{1}
		another     any = []int{1}
		text        any = "secret"
		errorOrNil  any
		shortArray  = []int{1, 2}
		negative    = -1
		closed      = make(chan int)
		veryLarge   = 1 << 62
		withoutKeys = map[any]int{}
	)
	close(closed)
	for words, provoke := range map[string]func(){
		"assignment to entry in nil map":       func() { nilMap["secret"] = 1 },
		"close of closed channel":              func() { close(closed) },
		"close of nil channel":                 func() { close(nilChannel) },
		"send on closed channel":               func() { closed <- 1 },
		"cannot convert slice":                 func() { _ = [4]int(shortArray) },
		"index out of range":                   func() { _ = empty[five] },
		"negative index out of range":          func() { _ = shortArray[negative] },
		"integer divide by zero":               func() { _ = five / zero },
		"invalid memory address":               func() { _ = nilPointer.n },
		"makechan: size out of range":          func() { _ = make(chan int, veryLarge) },
		"makeslice: cap out of range":          func() { _ = make([]int, 0, veryLarge) },
		"makeslice: len out of range":          func() { _ = make([]int, veryLarge) },
		"negative shift amount":                func() { _ = five << negative },
		"slice bounds out of range":            func() { _ = shortArray[five:] },
		"slice bounds out of range, three":     func() { _ = shortArray[:1:five] },
		"hash of unhashable type":              func() { withoutKeys[aSlice] = 1 },
		"comparing uncomparable type":          func() { _ = aSlice == another },
		"interface conversion to a type":       func() { _ = text.(int) },
		"interface conversion to an interface": func() { _ = text.(error) },
		"interface conversion of nil":          func() { _ = errorOrNil.(error) },
	} {
		t.Run(words, func(t *testing.T) {
			message := panicOf(t, provoke)
			if !isRuntimeMessage(message) {
				t.Errorf("not recognized: %s", message)
			}
		})
	}
}

func panicOf(t *testing.T, provoke func()) (message string) {
	t.Helper()
	defer func() {
		err, ok := recover().(runtime.Error)
		if !ok {
			t.Fatal("the runtime does not panic")
		}
		message = err.Error()
	}()
	provoke()
	return ""
}

// TestTheRuntimesFatalErrors looks for the words in Go's sources: most of these errors cannot be provoked without ending the test.
func TestTheRuntimesFatalErrors(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatalf("find Go's sources: %v", err)
	}
	var sources strings.Builder
	for _, dir := range []string{"runtime", "internal/runtime/maps", "internal/sync", "sync"} {
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources.Write(source)
		}
	}
	for _, words := range fatalErrors {
		if !strings.Contains(sources.String(), `"`+words+`"`) {
			t.Errorf("Go's runtime does not say %q any more", words)
		}
	}
}
