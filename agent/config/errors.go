package config

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// problem is one line of the answer to a wrong configuration: where, and then what is wrong and what to do.
type problem struct{ where, what string }

type problems []problem

// err is nil without problems, else one error that lists them all.
func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	var lines strings.Builder
	for _, one := range p {
		fmt.Fprintf(&lines, "\n  %s: %s", one.where, one.what)
	}
	count := "1 problem"
	if len(p) > 1 {
		count = fmt.Sprintf("%d problems", len(p))
	}
	return exit.With(exit.ConfigInvalid, fmt.Errorf("read configuration: %s:%s", count, lines.String()))
}

// cause is an error of the file system without its operation and path, which the message has already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// didYouMean advises on an unknown name: the most similar known one, if any is near.
func didYouMean(unknown string, name func(key) string) string {
	best, distance := "", max(2, len(strings.TrimPrefix(unknown, variablePrefix))/3)+1
	for _, k := range keys {
		if d := levenshtein.Distance(strings.ToLower(unknown), strings.ToLower(name(k)), nil); d < distance {
			best, distance = name(k), d
		}
	}
	if best == "" {
		return "remove it"
	}
	return fmt.Sprintf("did you mean %s?", best)
}
