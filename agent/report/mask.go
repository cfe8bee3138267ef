package report

import (
	"slices"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
)

// Masked returns the report with all secrets in its texts masked. It must be called before texts are cut or indented, because the
// mask does not recognize a changed secret. Exit codes stay the same. The objects of a diff are masked when they are written,
// before they are cut.
func (r Report) Masked(mask func(string) string) Report {
	r.mask = mask
	r.Err = maskError(r.Err, mask)
	r.Warnings = slices.Clone(r.Warnings)
	for i, warning := range r.Warnings {
		r.Warnings[i] = mask(warning)
	}
	r.Grant = mask(r.Grant)
	r.Outcomes = slices.Clone(r.Outcomes)
	for i := range r.Outcomes {
		maskOutcome(&r.Outcomes[i], mask)
	}
	return r
}

func maskOutcome(o *apply.Outcome, mask func(string) string) {
	o.Why = mask(o.Why)
	o.Err = maskError(o.Err, mask)
}

// maskText masks the text with the function that [Report.Masked] got.
func (r Report) maskText(text string) string {
	if r.mask == nil {
		return text
	}
	return r.mask(text)
}

type maskedError struct {
	text string
	err  error
}

func (m maskedError) Error() string { return m.text }
func (m maskedError) Unwrap() error { return m.err }

func maskError(err error, mask func(string) string) error {
	if err == nil {
		return nil
	}
	return maskedError{mask(err.Error()), err}
}
