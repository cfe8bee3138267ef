package crash

import "strings"

// panicLine is the line as it is shown: messages of the runtime are shown, because they quote no value but numbers and types.
func panicLine(line string) string {
	message := strings.TrimSuffix(strings.TrimPrefix(line, panicBegins), "\n")
	for _, note := range []string{" [recovered, repanicked]", " [recovered]"} {
		message = strings.TrimSuffix(message, note)
	}
	if isRuntimes(message) {
		return line
	}
	return Withheld
}

// isRuntimes looks at the whole message: a library that panics again with a longer text may quote anything behind the runtime's words.
func isRuntimes(message string) bool {
	if rest, ok := strings.CutPrefix(message, "interface conversion: "); ok {
		return isConversion(rest)
	}
	for _, words := range ownWords {
		if rest, ok := strings.CutPrefix(message, words); ok && isNumbers(rest) {
			return true
		}
	}
	for _, words := range beforeType {
		if rest, ok := strings.CutPrefix(message, words); ok && isType(rest) {
			return true
		}
	}
	return false
}

var ownWords = []string{
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
	"runtime error: makechan: size out of range",
	"runtime error: makeslice: cap out of range",
	"runtime error: makeslice: len out of range",
	"runtime error: negative shift amount",
	"runtime error: slice bounds out of range",
}

var beforeType = []string{"runtime error: hash of unhashable type ", "runtime error: comparing uncomparable type "}

// isNumbers is true for what the runtime says of an index, such as " [5] with length 3".
func isNumbers(rest string) bool {
	for _, words := range []string{" with length ", " with capacity ", " to array or pointer to array"} {
		rest = strings.Replace(rest, words, "", 2)
	}
	return strings.Trim(rest, " [:-0123456789]") == ""
}

// isConversion is true for "T is U, not V", and "T is not I: missing method M".
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

// isType is true for the name of a type. A struct without a name is withheld, because its tags are text.
func isType(name string) bool {
	name = strings.ReplaceAll(name, "interface {}", "any")
	return name != "" && !strings.ContainsAny(name, " :=\"'`\t\r")
}
