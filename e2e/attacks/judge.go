package attacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/e2e/leaks"
)

// exits has the allowed exit codes of a run, unless the attack names others: converged, source refused, helmfile invalid, secret
// unreadable, releases failed.
var exits = []int{0, 12, 14, 15, 18}

// The kinds of finding.
const (
	Canary   = "canary"   // a secret is at a place where it must not be
	Hidden   = "hidden"   // another text that only a successful attack shows
	Reached  = "listener" // the attacker's server got a request
	Written  = "written"  // a file outside of the checkout was changed
	Leftover = "leftover" // a temporary file was left
)

// Findings has the effects of an attack, by kind.
type Findings map[string][]string

// Add adds details of one kind.
func (f Findings) Add(kind string, details ...string) {
	if len(details) > 0 {
		f[kind] = append(f[kind], details...)
	}
}

// Search searches texts for canaries and for texts that the attack must not show. Canaries and texts are given by their place.
func (a Attack) Search(places, canaries map[string]string, words *strings.Replacer) Findings {
	found := Findings{}
	for place, text := range places {
		for holder, canary := range canaries {
			if seen := leaks.Find(text, []string{canary}); len(seen) > 0 {
				found.Add(Canary, holder+" in "+place+": "+seen[0])
			}
		}
		for _, hidden := range a.Hidden {
			if hidden = words.Replace(hidden); strings.Contains(text, hidden) {
				found.Add(Hidden, fmt.Sprintf("%q in %s", hidden, place))
			}
		}
	}
	return found
}

// Outcome is the result of a run on the repository.
type Outcome struct {
	Code     int
	Output   string
	Deployed []string // the names of the releases' ConfigMaps
	Findings Findings
}

// Judge returns what is wrong with the outcome: findings of kinds that are not excused, an exit code that the attack does not allow, and
// missing texts or releases. For an attack that is known to succeed, it is wrong if the attack fails.
func (a Attack) Judge(o Outcome, words *strings.Replacer, excused []string) []string {
	if a.Known != "" {
		if len(o.Findings) == 0 && slices.Contains(exits, o.Code) {
			return []string{a.Tries + " It is held by now: remove what is said under known"}
		}
		return nil
	}
	var wrong []string
	through := false
	for kind, found := range o.Findings {
		if slices.Contains(excused, kind) {
			through = true
		} else {
			wrong = append(wrong, fmt.Sprintf("%s (%s): %s", kind, a.Tries, strings.Join(found, "\n")))
		}
	}
	if allowed := a.exits(); !slices.Contains(allowed, o.Code) {
		wrong = append(wrong, fmt.Sprintf("exit code %d, want one of %v", o.Code, allowed))
	}
	for _, text := range a.Seen {
		if text = words.Replace(text); !through && !strings.Contains(o.Output, text) {
			wrong = append(wrong, fmt.Sprintf("%q is not in the output", text))
		}
	}
	for _, name := range a.Others {
		if !slices.Contains(o.Deployed, name) {
			wrong = append(wrong, fmt.Sprintf("the release %s was not deployed", name))
		}
	}
	return wrong
}

func (a Attack) exits() []int {
	if len(a.Exit) > 0 {
		return a.Exit
	}
	return exits
}
