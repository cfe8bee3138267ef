package crash

import (
	"bytes"
	"strings"
)

// Withheld stands for a message that is not shown.
const Withheld = "panic: (the message is not shown: it may hold secrets)\n"

const truncated = "\n(the rest of the crash is not shown: it is too long)\n"

// filter shows what the runtime prints about a crash, without messages.
type filter struct {
	show      func([]byte)
	line      []byte // the line that was begun, while it is not known whether it is shown
	inMessage bool   // until the stacks begin
	decided   bool   // about the line that was begun: it is shown or dropped as it comes
}

// maxLine is how much of a line is looked at.
const maxLine = 4 << 10

// stacksBegin begin the lines that end a message. The runtime indents further lines of a message, but never these.
var stacksBegin = []string{"goroutine ", "[signal ", "fatal error: ", "runtime stack:"}

const panicBegins = "panic: "

func (f *filter) write(text []byte) {
	for len(text) > 0 {
		part, end := text, false
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			part, end = text[:i+1], true
		}
		f.writePart(part)
		if end {
			f.endLine()
		}
		text = text[len(part):]
	}
}

// writePart shows parts of lines at once where it may: where the run is the first process of its container, the monitor ends with it.
func (f *filter) writePart(part []byte) {
	if f.decided {
		if !f.inMessage {
			f.show(part)
		}
		return
	}
	f.line = append(f.line, part[:min(len(part), maxLine-len(f.line))]...)
	if couldBegin(f.line, panicBegins) || f.inMessage && couldBeginAny(f.line, stacksBegin) && !beginsAny(f.line, stacksBegin) {
		return
	}
	if beginsAny(f.line, stacksBegin) {
		f.inMessage = false
	}
	f.decided = true
	if !f.inMessage {
		f.show(f.line)
	}
}

func (f *filter) endLine() {
	if !f.decided && bytes.HasPrefix(f.line, []byte(panicBegins)) {
		f.inMessage = true
		f.show([]byte(panicLine(string(f.line))))
	}
	f.line, f.decided = f.line[:0], false
}

// end shows that there was a message even if the crash was cut within it.
func (f *filter) end() {
	if len(f.line) > 0 {
		f.endLine()
	}
}

// couldBegin says whether the text begins with the prefix, or may do so once more of it is there.
func couldBegin(text []byte, prefix string) bool {
	n := min(len(text), len(prefix))
	return string(text[:n]) == prefix[:n]
}

func couldBeginAny(text []byte, prefixes []string) bool {
	for _, prefix := range prefixes {
		if couldBegin(text, prefix) {
			return true
		}
	}
	return false
}

func beginsAny(text []byte, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(string(text), prefix) {
			return true
		}
	}
	return false
}

// limited drops what exceeds the limit, and says so once.
func limited(show func([]byte), limit int) func([]byte) {
	return func(text []byte) {
		switch {
		case limit < 0:
		case len(text) > limit:
			show(text[:limit])
			show([]byte(truncated))
			limit = -1
		default:
			show(text)
			limit -= len(text)
		}
	}
}
