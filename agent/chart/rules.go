package chart

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// rules are the same for all stores of one directory. A child process reads them from a file, because the process that starts it can change
// its environment.
type rules struct {
	Allowed []string `json:"allowed"` // see egress.Policy
	Roots   []string `json:"roots"`   // see Confine
}

func rulesFile(dir string) string { return filepath.Join(dir, "rules.json") }

func (s *Store) writeRules() error {
	data, err := json.Marshal(rules{Allowed: s.policy.Allowed, Roots: s.files.Roots()})
	if err == nil {
		err = os.WriteFile(rulesFile(s.dir), data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the rules of the chart store: %w", err)
	}
	return nil
}

func readRules(dir string) (rules, error) {
	var r rules
	data, err := os.ReadFile(rulesFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read the rules of the chart store: %w", err)
	}
	return r, nil
}
