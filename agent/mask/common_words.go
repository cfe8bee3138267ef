package mask

import (
	"slices"
	"strings"
	"unicode"
)

// What is masked wherever it stands has at least long bytes. What is shorter, down to shortest, occurs in ordinary text so
// often that masking it everywhere would hide more than it protects; it is masked behind its key.
const (
	long     = 6
	shortest = 3
)

// ordinary are longer values that texts are full of: that one of them is also somebody's secret makes them none.
var ordinary = map[string]bool{}

func init() {
	for _, word := range strings.Fields(`
		default localhost 127.0.0.1 0.0.0.0 kubernetes cluster.local svc.cluster.local
		password passwd secret secrets username database postgres postgresql mariadb mongodb rabbitmq
		production staging development testing disabled enabled warning trace
		config values string number object release namespace
		Opaque ClusterIP LoadBalancer Always IfNotPresent Deployment ConfigMap Service Secret
		application/json text/plain https:// http://`) {
		ordinary[strings.ToLower(word)] = true
	}
}

func secretAnywhere(value string) bool {
	return len(value) >= long && !ordinary[strings.ToLower(value)] && strings.ContainsFunc(value, meaningful)
}

func meaningful(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r > unicode.MaxASCII
}

// behindKey says whether a part of a text is the whole value of one of the keys, as YAML, JSON, INI and Go print it.
func behindKey(text string, from, to int, keys []string) bool {
	if len(keys) == 0 || goesOn(text[to:]) {
		return false
	}
	before := strings.TrimRight(text[:from], `"'\ `+"`")
	if !strings.HasSuffix(before, ":") && !strings.HasSuffix(before, "=") {
		return false
	}
	before = strings.TrimRight(before[:len(before)-1], `"'\ `)
	return slices.ContainsFunc(keys, func(key string) bool {
		rest, ok := strings.CutSuffix(before, key)
		return ok && (rest == "" || !partOfWord(rest[len(rest)-1]))
	})
}

// goesOn says whether a word or number goes on.
func goesOn(rest string) bool {
	if strings.HasPrefix(rest, ".") {
		rest = rest[1:]
	}
	return rest != "" && partOfWord(rest[0])
}

func partOfWord(c byte) bool {
	return c == '_' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}
