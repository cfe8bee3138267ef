package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Problem is one mistake in the configuration: where it is, what is wrong, and what to do.
type Problem struct{ Where, What string }

// Problems are all mistakes in the configuration.
type Problems []Problem

// Err is one error that lists all problems, or nil if there are none.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	var lines strings.Builder
	for _, problem := range p {
		fmt.Fprintf(&lines, "\n  %s: %s", problem.Where, problem.What)
	}
	count := "1 problem"
	if len(p) > 1 {
		count = fmt.Sprintf("%d problems", len(p))
	}
	return exit.With(exit.ConfigInvalid, fmt.Errorf("read configuration: %s:%s", count, lines.String()))
}

// WithoutPath removes the operation and the path from an error of the file system, because the message already has them.
func WithoutPath(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// didYouMean proposes the most similar known name, if there is a similar one.
func (t Table) didYouMean(unknown string, name func(Setting) string) string {
	best, distance := "", max(2, len(strings.TrimPrefix(unknown, variablePrefix))/3)+1
	for _, s := range t {
		if d := levenshtein.Distance(strings.ToLower(unknown), strings.ToLower(name(s)), nil); d < distance {
			best, distance = name(s), d
		}
	}
	if best == "" {
		return "remove it"
	}
	return fmt.Sprintf("did you mean %s?", best)
}
