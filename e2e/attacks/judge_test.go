package attacks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	words := strings.NewReplacer("@NAME@", "ada")
	for name, c := range map[string]struct {
		attack  Attack
		outcome Outcome
		excused []string
		want    []string
	}{
		"held":                {outcome: Outcome{Code: 14}},
		"another exit code":   {outcome: Outcome{Code: 137}, want: []string{"exit code 137, want one of [0 12 14 15 18]"}},
		"its own exit code":   {attack: Attack{Exit: []int{21}}, outcome: Outcome{Code: 21}},
		"a finding":           {outcome: Outcome{Findings: Findings{Canary: {"a token"}}}, want: []string{"canary (): a token"}},
		"an excused finding":  {outcome: Outcome{Findings: Findings{Reached: {"GET /"}}}, excused: []string{Reached}},
		"what is not seen":    {attack: Attack{Seen: []string{"@NAME@ converged"}}, outcome: Outcome{Output: "nothing"}, want: []string{`"ada converged" is not in the output`}},
		"what is seen":        {attack: Attack{Seen: []string{"@NAME@ converged"}}, outcome: Outcome{Output: "ada converged"}},
		"a release too few":   {attack: Attack{Others: []string{"other"}}, want: []string{"the release other was not deployed"}},
		"known to succeed":    {attack: Attack{Known: "a reason"}, outcome: Outcome{Findings: Findings{Hidden: {"x"}}}},
		"known, and it holds": {attack: Attack{Known: "a reason", Tries: "It tries."}, want: []string{"It tries. It is held by now: remove what is said under known"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, c.attack.Judge(c.outcome, words, c.excused)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	a := Attack{Hidden: []string{"@NAME@ was here"}}
	got := a.Search(map[string]string{"a log": "the word c2VzYW1lLW9wZW4tMTIz", "an Event": "ada was here"},
		map[string]string{"a file": "sesame-open-123", "a key": "never-seen-456"}, strings.NewReplacer("@NAME@", "ada"))
	if len(got[Canary]) != 1 || !strings.HasPrefix(got[Canary][0], "a file in a log") || len(got[Hidden]) != 1 {
		t.Errorf("the findings are %v", got)
	}
}
