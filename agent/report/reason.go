package report

import (
	"fmt"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// reason explains the outcome in full: with the error if there is one, otherwise with the reason of the plan.
func (r Report) reason(o apply.Outcome) string {
	if statusOf(o) == skipped {
		return r.whySkipped(o)
	}
	if hasError(o) && o.Err != nil {
		return o.Err.Error()
	}
	return o.Why
}

// whySkipped names the needs that are not done. If all needs are done, the run was stopped, and the error says why.
func (r Report) whySkipped(o apply.Outcome) string {
	var needs []string
	for _, need := range o.Needs {
		if word := r.needProblem(need); word != "" {
			needs = append(needs, fmt.Sprintf("%s, which %s", need, word))
		}
	}
	switch {
	case len(needs) > 0:
		if removes(o) { // a release is removed after those that need it
			return "is needed by " + strings.Join(needs, ", and ")
		}
		return "needs " + strings.Join(needs, ", and ")
	case o.Err != nil:
		return o.Err.Error()
	default:
		return o.Why
	}
}

// needProblem says why a needed release is not as declared; empty when it is.
func (r Report) needProblem(need release.Key) string {
	for _, o := range r.Outcomes {
		switch {
		case o.Key != need || !notConverged(o):
		case statusOf(o) == failed:
			return "failed"
		default:
			return "was " + string(statusOf(o))
		}
	}
	return ""
}
