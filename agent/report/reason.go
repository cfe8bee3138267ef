package report

import (
	"fmt"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// reason is why the outcome is what it is, in full: of what went wrong the error, else the plan's Why.
func (r Report) reason(o apply.Outcome) string {
	if fateOf(o) == skipped {
		return r.whySkipped(o)
	}
	if broken(o) && o.Err != nil {
		return o.Err.Error()
	}
	return o.Why
}

// whySkipped names the needs that fell short. Without any it was the run that stopped, and the error says so.
func (r Report) whySkipped(o apply.Outcome) string {
	var needs []string
	for _, need := range o.Needs {
		if word := r.missed(need); word != "" {
			needs = append(needs, fmt.Sprintf("%s, which %s", need, word))
		}
	}
	switch {
	case len(needs) > 0:
		if goes(o) { // what needs it must go first
			return "is needed by " + strings.Join(needs, ", and ")
		}
		return "needs " + strings.Join(needs, ", and ")
	case o.Err != nil:
		return o.Err.Error()
	default:
		return o.Why
	}
}

// missed says in which way a needed release is not in place; empty when it is.
func (r Report) missed(need release.Key) string {
	for _, o := range r.Outcomes {
		switch {
		case o.Key != need || !fellShort(o):
		case fateOf(o) == failed:
			return "failed"
		default:
			return "was " + string(fateOf(o))
		}
	}
	return ""
}
