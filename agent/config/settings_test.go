package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func TestFlagAndVariableDeriveFromTheName(t *testing.T) {
	got := map[string]string{}
	for _, s := range allSettings {
		got[s.Name] = s.Flag() + " " + s.Variable()
	}
	for name, want := range map[string]string{
		"pruneMaxShare":     "--prune-max-share HELMFILE_AGENT_PRUNE_MAX_SHARE",
		"repo":              "--repo HELMFILE_AGENT_REPO",
		"stateValuesSet":    "--state-values-set HELMFILE_AGENT_STATE_VALUES_SET",
		"detailedExitcode":  "--detailed-exitcode HELMFILE_AGENT_DETAILED_EXITCODE",
		"gitSSHKeyFile":     "--git-ssh-key-file HELMFILE_AGENT_GIT_SSH_KEY_FILE",
		"gitCAFile":         "--git-ca-file HELMFILE_AGENT_GIT_CA_FILE",
		"gitAllowPlainHttp": "--git-allow-plain-http HELMFILE_AGENT_GIT_ALLOW_PLAIN_HTTP",
		"gitKnownHostsFile": "--git-known-hosts-file HELMFILE_AGENT_GIT_KNOWN_HOSTS_FILE",
	} {
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
}

func TestFlagsAreThoseOfTheCommand(t *testing.T) {
	run, diff := pflag.NewFlagSet("run", pflag.ContinueOnError), pflag.NewFlagSet("diff", pflag.ContinueOnError)
	Flags(run, Run)
	Flags(diff, Diff)
	for _, name := range []string{"dir", "detailed-exitcode"} {
		if run.Lookup(name) != nil || diff.Lookup(name) == nil {
			t.Errorf("only diff has --%s", name)
		}
	}
	destroy := pflag.NewFlagSet("destroy", pflag.ContinueOnError)
	Flags(destroy, Destroy)
	if run.Lookup("yes") != nil || diff.Lookup("yes") != nil || destroy.Lookup("yes") == nil {
		t.Error("only destroy has --yes")
	}
	for command, flags := range map[string]*pflag.FlagSet{Run: run, Diff: diff, Destroy: destroy} {
		if flags.Lookup("dry-run") == nil {
			t.Errorf("%s has no --dry-run", command)
		}
	}
	for _, name := range []string{"repo", "ref", "selector", "environment", "prune", "prune-grace", "prune-max-share", "prune-allow", "drift", "drift-ignore"} {
		if run.Lookup(name) == nil || diff.Lookup(name) == nil || destroy.Lookup(name) != nil {
			t.Errorf("run and diff have --%s, destroy does not", name)
		}
	}
	if diff.Lookup("git-password") != nil {
		t.Error("a password must not be a flag")
	}
	if usage := run.FlagUsages(); !strings.Contains(usage, "--timeout duration") || !strings.Contains(usage, "(default 10m)") {
		t.Error(usage)
	}
}

func TestReferenceHasALineForEverySetting(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(Reference()), "\n")
	if len(lines) != len(allSettings)+2 {
		t.Errorf("%d lines for %d settings", len(lines), len(allSettings))
	}
	want := "| `timeout` | `--timeout` | `HELMFILE_AGENT_TIMEOUT` | `10m` | maximum duration of the whole run, such as 90s, 10m or 1h30m |"
	for _, line := range lines {
		if strings.Contains(line, "`timeout`") {
			if diff := cmp.Diff(want, line); diff != "" {
				t.Error(diff)
			}
		}
		if strings.Count(line, "|") != 6 {
			t.Errorf("not five cells: %s", line)
		}
	}
}
