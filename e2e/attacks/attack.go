// Package attacks reads the hostile repositories in this directory, and judges the result of a run on one of them. Each attack is a
// directory with the directory repo and the file attack.yaml, which describes the attack and the expected result.
//
// Tests run the attacks on this machine and in pods. They supply the values of the placeholders.
package attacks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// All names the environment variable that makes all tests run every attack, as in `make attacks`. Without it, some tests run a sample.
const All = "ALL_ATTACKS"

// Attack is the file attack.yaml. Texts may contain placeholders.
type Attack struct {
	Name      string            `json:"-"`                 // the name of its directory
	Repo      map[string]string `json:"-"`                 // files of the repository, by path
	Tries     string            `json:"tries"`             // one sentence
	Args      []string          `json:"args"`              // additional arguments of the agent
	Seen      []string          `json:"seen"`              // the output must contain these texts, unless the attack is allowed to succeed
	Hidden    []string          `json:"hidden"`            // texts that only a successful attack shows, in addition to the canaries
	Exit      []int             `json:"exit"`              // allowed exit codes
	Others    []string          `json:"others"`            // releases that must be deployed despite the attack
	Off       []string          `json:"unsandboxed"`       // kinds of finding that the mode off does not prevent
	OffReason string            `json:"unsandboxedReason"` // the reason
	Known     string            `json:"known"`             // why it is known to succeed; docs/security.md must say so
	Links     map[string]string `json:"links"`             // symbolic links in the repository, with their targets
	Archive   []ArchiveEntry    `json:"archive"`           // entries of the chart evil that the listener serves below /charts
	Sparse    map[string]int64  `json:"sparse"`            // files of zeros in a local checkout, which a diff reads
}

// Read reads every attack below a directory, in the order of their names.
func Read(directory string) ([]Attack, error) {
	files, err := filepath.Glob(filepath.Join(directory, "*", "attack.yaml"))
	if err != nil {
		return nil, err
	}
	var all []Attack
	for _, file := range files {
		attack, err := read(filepath.Dir(file))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, attack)
	}
	return all, nil
}

func read(dir string) (Attack, error) {
	a := Attack{Name: filepath.Base(dir)}
	content, err := os.ReadFile(filepath.Join(dir, "attack.yaml"))
	if err != nil {
		return a, err
	}
	if err := yaml.UnmarshalStrict(content, &a); err != nil {
		return a, err
	}
	if a.Tries == "" || (len(a.Off) > 0) != (a.OffReason != "") {
		return a, fmt.Errorf("want what it tries, and a reason for each exception of the mode off")
	}
	// An attack with a mistake in its helmfile would fail as well, and prove nothing.
	if len(a.Seen) == 0 && len(a.Exit) == 0 && a.Known == "" {
		return Attack{}, fmt.Errorf("%s: want seen or exit, which prove that the attack was tried", dir)
	}
	a.Repo, err = servers.Tree(os.DirFS(filepath.Join(dir, "repo")), "")
	return a, err
}

// Mentions reports whether a placeholder occurs in the repository or its links.
func (a Attack) Mentions(placeholder string) bool {
	for _, texts := range []map[string]string{a.Repo, a.Links} {
		for _, text := range texts {
			if strings.Contains(text, placeholder) {
				return true
			}
		}
	}
	return false
}
