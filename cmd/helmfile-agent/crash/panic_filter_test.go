package crash

import (
	"strings"
	"testing"
)

const stack = "\ngoroutine 7 [running]:\nmain.f({0xc000012345, 0x5})\n\t/src/main.go:4 +0x1d\ncreated by main.main in goroutine 1\n\t/src/main.go:9 +0x1f\n"

// TestTheMessageIsNotShown writes what the runtime prints to the filter, in one piece and in small pieces.
func TestTheMessageIsNotShown(t *testing.T) {
	signal := "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4]\n"
	nilPointer := "panic: runtime error: invalid memory address or nil pointer dereference\n"
	shownStack := strings.TrimPrefix(stack, "\n") // the empty line belongs to the message
	for name, tt := range map[string]struct{ printed, want string }{
		"a text":                           {"panic: secret\n" + stack, Withheld + shownStack},
		"a text of several lines":          {"panic: one\n\tgoroutine 1 [running]:\n\tsecret\n" + stack, Withheld + shownStack},
		"a text that was panicked again":   {"panic: secret [recovered]\n\tpanic: secret\n" + stack, Withheld + shownStack},
		"a nil pointer":                    {nilPointer + signal + stack, nilPointer + signal + stack},
		"a nil pointer, and then a text":   {nilPointer + "\tpanic: secret\n" + stack, nilPointer + shownStack},
		"a crash without a panic":          {"\nruntime stack:\nruntime.throw()\n" + stack, "\nruntime stack:\nruntime.throw()\n" + stack},
		"a panic in the middle of another": {stack + "panic: secret\n" + stack, stack + Withheld + shownStack},
		"a message that is cut":            {"panic: sec", Withheld},
		"a stack that is cut":              {"panic: secret\n\ngoroutine 1 [run", Withheld + "goroutine 1 [run"},
		"a very long message":              {"panic: " + strings.Repeat("secret", maxLine) + "\n" + stack, Withheld + shownStack},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 7, len(tt.printed)} {
				if got := filtered(tt.printed, size); got != tt.want {
					t.Errorf("in pieces of %d bytes:\n%s\nwant:\n%s", size, got, tt.want)
				}
			}
		})
	}
}

func filtered(text string, size int) string {
	var shown strings.Builder
	f := panicFilter{show: func(part []byte) { shown.Write(part) }}
	for text != "" {
		n := min(size, len(text))
		f.write([]byte(text[:n]))
		text = text[n:]
	}
	f.end()
	return shown.String()
}

func TestOnlyMessagesOfTheRuntimeAreShown(t *testing.T) {
	for message, shown := range map[string]bool{
		"assignment to entry in nil map":                                                               true,
		"send on closed channel":                                                                       true,
		"runtime error: index out of range [5] with length 3":                                          true,
		"runtime error: index out of range [-1]":                                                       true,
		"runtime error: slice bounds out of range [::5] with capacity 3":                               true,
		"runtime error: cannot convert slice with length 2 to array or pointer to array with length 4": true,
		"runtime error: integer divide by zero [recovered, repanicked]":                                true,
		"runtime error: hash of unhashable type []string":                                              true,
		"interface conversion: interface {} is map[string]interface {}, not string":                    true,
		"interface conversion: interface is nil, not error":                                            true,
		"interface conversion: *main.T is not io.Reader: missing method Read":                          true,
		"secret":                false,
		"runtime error: secret": false,
		"runtime error: index out of range [5]: secret":        false,
		"runtime error: hash of unhashable type []int: secret": false,
		"interface conversion: secret":                         false,
		"interface conversion: any is int, not string: secret": false,
		"interface conversion: any is int, not a secret":       false,
	} {
		line := "panic: " + message + "\n"
		if got := panicLine(line); got != line && got != Withheld || (got == line) != shown {
			t.Errorf("%s: got %q", message, got)
		}
	}
}

func TestFatalLine(t *testing.T) {
	for output, want := range map[string]string{
		"a log line\nfatal error: concurrent map writes\n":  "fatal error: concurrent map writes\n",
		"concurrent map writes\n\ngoroutine 1 [running]:\n": "fatal error: concurrent map writes\n",
		"fatal error: secret\n":                             "",
		"it is concurrent map writes\n":                     "",
		"":                                                  "",
	} {
		if got := fatalLine(output); got != want {
			t.Errorf("%q: got %q, want %q", output, got, want)
		}
	}
}

func TestLimit(t *testing.T) {
	var shown strings.Builder
	show := limit(func(part []byte) { shown.Write(part) }, 5)
	for _, part := range []string{"123", "4567", "89"} {
		show([]byte(part))
	}
	if want := "12345" + truncated; shown.String() != want {
		t.Errorf("got %q, want %q", shown.String(), want)
	}
}
