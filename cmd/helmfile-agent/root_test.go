package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// A wrong command line ends like a run: with a termination message for Kubernetes, and with JSON if the user asked for it.
func TestAWrongCommandLineIsReported(t *testing.T) {
	for name, tt := range map[string]struct {
		args        string
		env         string // HELMFILE_AGENT_OUTPUT
		termination string // its beginning
		json        bool
	}{
		"an unknown flag":        {args: "run --bogus", termination: "config-invalid (exit 10): unknown flag: --bogus (see helmfile-agent run --help)"},
		"an unknown flag, JSON":  {args: "run --bogus --output json", termination: "config-invalid (exit 10): unknown flag", json: true},
		"an unknown command":     {args: "rnu", env: "json", termination: `config-invalid (exit 10): unknown command "rnu"`, json: true},
		"an argument":            {args: "run https://ada:hunter2secret@git.example.org", env: "json", termination: "config-invalid (exit 10): unexpected argument https://********@git", json: true},
		"no repository":          {args: "run --output json", termination: "config-invalid (exit 10): read configuration: 1 problem: repo: is not given", json: true},
		"several wrong settings": {args: "diff --concurrency 0 --timeout x", termination: "config-invalid (exit 10): read configuration: 3 problems: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HELMFILE_AGENT_OUTPUT", tt.env)
			log := useTerminationLog(t)
			stdout, code := stdoutOf(t, strings.Fields(tt.args))
			message := read(t, log)
			if code != exit.ConfigInvalid || !strings.HasPrefix(message, tt.termination) || len(message) > terminationLimit {
				t.Errorf("exit %d with %q, want exit 10 with %q", code, message, tt.termination)
			}
			if strings.Contains(message+stdout, "hunter2") {
				t.Errorf("a password is shown: %s %s", message, stdout)
			}
			expectReport(t, stdout, tt.json)
		})
	}
}

func expectReport(t *testing.T, stdout string, want bool) {
	t.Helper()
	if !want {
		if stdout != "" {
			t.Errorf("printed %s", stdout)
		}
		return
	}
	var got struct {
		Kind, Result, Error string
		ExitCode            int
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if got.Kind != "Report" || got.Result != "config-invalid" || got.ExitCode != 10 || got.Error == "" {
		t.Errorf("got %+v", got)
	}
}

// useTerminationLog replaces the file that Kubernetes puts into every container.
func useTerminationLog(t *testing.T) string {
	t.Helper()
	before := terminationLog
	t.Cleanup(func() { terminationLog = before })
	terminationLog = filepath.Join(t.TempDir(), "termination-log")
	if err := os.WriteFile(terminationLog, []byte("from before"), 0o600); err != nil {
		t.Fatal(err)
	}
	return terminationLog
}

func stdoutOf(t *testing.T, args []string) (string, exit.Code) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdout
	os.Stdout = writer
	defer func() { os.Stdout = before }()
	code := execute(args)
	_ = writer.Close()
	out, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), code
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
