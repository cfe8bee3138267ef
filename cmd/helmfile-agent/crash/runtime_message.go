package crash

import "strings"

// panicLine returns the line as it may be shown. Messages of the runtime are shown: they contain only numbers and types, never other
// values.
func panicLine(line string) string {
	message := strings.TrimSuffix(strings.TrimPrefix(line, panicPrefix), "\n")
	for _, note := range []string{" [recovered, repanicked]", " [recovered]"} {
		message = strings.TrimSuffix(message, note)
	}
	if isRuntimeMessage(message) {
		return line
	}
	return Withheld
}

// isRuntimeMessage checks the whole message, because a library may append any text to a message of the runtime and panic again.
func isRuntimeMessage(message string) bool {
	if rest, ok := strings.CutPrefix(message, "interface conversion: "); ok {
		return isConversion(rest)
	}
	for _, prefix := range runtimeMessages {
		if rest, ok := strings.CutPrefix(message, prefix); ok && isNumbers(rest) {
			return true
		}
	}
	for _, prefix := range messagesWithType {
		if rest, ok := strings.CutPrefix(message, prefix); ok && isType(rest) {
			return true
		}
	}
	return false
}

// runtimeMessages are the beginnings of messages that only numbers may follow.
var runtimeMessages = []string{
	"assignment to entry in nil map",
	"close of closed channel",
	"close of nil channel",
	"send on closed channel",
	"runtime error: cannot convert slice",
	"runtime error: growslice: len out of range",
	"runtime error: index out of range",
	"runtime error: integer divide by zero",
	"runtime error: integer overflow",
	"runtime error: invalid memory address or nil pointer dereference",
	"makechan: size out of range",
	"runtime error: makeslice: cap out of range",
	"runtime error: makeslice: len out of range",
	"runtime error: negative shift amount",
	"runtime error: slice bounds out of range",
}

// messagesWithType are the beginnings of messages that the name of a type follows.
var messagesWithType = []string{"runtime error: hash of unhashable type ", "runtime error: comparing uncomparable type "}

// isNumbers says whether the text is only about indexes and lengths, such as " [5] with length 3".
func isNumbers(rest string) bool {
	for _, words := range []string{" with length ", " with capacity ", " to array or pointer to array"} {
		rest = strings.Replace(rest, words, "", 2)
	}
	return strings.Trim(rest, " [:-0123456789]") == ""
}

// isConversion says whether the text has the form "T is U, not V" or "T is not I: missing method M".
func isConversion(rest string) bool {
	if types, method, ok := strings.Cut(rest, ": missing method "); ok {
		from, to, ok := strings.Cut(types, " is not ")
		return ok && isType(from) && isType(to) && isType(method)
	}
	from, types, ok := strings.Cut(rest, " is ")
	if !ok {
		return false
	}
	is, not, ok := strings.Cut(types, ", not ")
	return ok && isType(from) && isType(is) && isType(not)
}

// isType says whether the text is the name of a type. A struct type without a name does not count, because its tags may be any text.
func isType(name string) bool {
	name = strings.ReplaceAll(name, "interface {}", "any")
	return name != "" && !strings.ContainsAny(name, " :=\"'`\t\r")
}
