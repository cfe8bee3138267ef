package crash

import (
	"bytes"
	"strings"
)

// Withheld replaces a message that is not shown.
const Withheld = "panic: (the message is not shown: it may contain secrets)\n"

const truncated = "\n(the rest of the crash is not shown: it is too long)\n"

// panicFilter shows what the runtime prints about a crash, without the messages of panics.
type panicFilter struct {
	show      func([]byte)
	line      []byte // the beginning of the current line, until the filter decides about the line
	decided   bool   // the rest of the current line is shown or dropped as it arrives
	inMessage bool   // from a panic message until the stacks
}

// maxLine is how much of a line the filter looks at.
const maxLine = 4 << 10

// stackPrefixes are the beginnings of the lines that end a message. The runtime indents the further lines of a message, but never these.
var stackPrefixes = []string{"goroutine ", "[signal ", "fatal error: ", "runtime stack:"}

const panicPrefix = "panic: "

func (f *panicFilter) write(text []byte) {
	for len(text) > 0 {
		part, complete := text, false
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			part, complete = text[:i+1], true
		}
		f.writePart(part)
		if complete {
			f.endLine()
		}
		text = text[len(part):]
	}
}

// writePart shows a part of a line as early as it can. If the run is the first process of its container, the monitor may be killed
// before the rest of the line arrives.
func (f *panicFilter) writePart(part []byte) {
	if f.decided {
		if !f.inMessage {
			f.show(part)
		}
		return
	}
	f.line = append(f.line, part[:min(len(part), maxLine-len(f.line))]...)
	if mayHavePrefix(f.line, panicPrefix) || f.inMessage && mayHaveAnyPrefix(f.line, stackPrefixes) && !hasAnyPrefix(f.line, stackPrefixes) {
		return
	}
	if hasAnyPrefix(f.line, stackPrefixes) {
		f.inMessage = false
	}
	f.decided = true
	if !f.inMessage {
		f.show(f.line)
	}
}

func (f *panicFilter) endLine() {
	if !f.decided && bytes.HasPrefix(f.line, []byte(panicPrefix)) {
		f.inMessage = true
		f.show([]byte(panicLine(string(f.line))))
	}
	f.line, f.decided = f.line[:0], false
}

// end shows that there was a message, even if the output ends within it.
func (f *panicFilter) end() {
	if len(f.line) > 0 {
		f.endLine()
	}
}

// mayHavePrefix says whether the text has the prefix, or may have it when more of the text has arrived.
func mayHavePrefix(text []byte, prefix string) bool {
	n := min(len(text), len(prefix))
	return string(text[:n]) == prefix[:n]
}

func mayHaveAnyPrefix(text []byte, prefixes []string) bool {
	for _, prefix := range prefixes {
		if mayHavePrefix(text, prefix) {
			return true
		}
	}
	return false
}

func hasAnyPrefix(text []byte, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(string(text), prefix) {
			return true
		}
	}
	return false
}

// limit drops what exceeds the size in bytes, and says so once.
func limit(show func([]byte), size int) func([]byte) {
	return func(text []byte) {
		switch {
		case size < 0:
		case len(text) > size:
			show(text[:size])
			show([]byte(truncated))
			size = -1
		default:
			show(text)
			size -= len(text)
		}
	}
}
