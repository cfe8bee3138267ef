package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	helmtime "helm.sh/helm/v3/pkg/time"
)

// TestDestroy removes everything that an instance owns.
func TestDestroy(t *testing.T) { runStories(t, destroyStories) }

// towers has releases that need each other, in two namespaces.
const towers = `- {name: cache, chart: ./chart}
- {name: db, chart: ./chart, needs: [cache]}
- {name: web, chart: ./chart, needs: [db]}
- {name: mail, chart: ./chart, namespace: SECOND}
`

var destroyStories = map[string]func(*story){
	"without a terminal and without --yes, destroy refuses": func(s *story) {
		s.installs(db, web)
		s.destroy().shows(configInvalid, "db to prune, web to prune").
			says("destroy asks for a confirmation, but standard input is not a terminal: use --yes to skip the confirmation, or --dry-run").writes("")
		s.has("db 1, web 1")
	},

	"--dry-run only lists": func(s *story) {
		s.installs(db, web)
		s.destroy("--dry-run").shows(converged, "db to prune, web to prune").writes("")
		s.destroy("--dry-run", "--yes").shows(converged, "db to prune, web to prune").writes("")
		s.has("db 1, web 1")
	},

	"--yes uninstalls everything that the instance owns in the order of needs, then deletes its state": func(s *story) {
		s.bindSecond()
		s.installs(towers)
		s.helm("install", "foreign", s.chartDir())
		other := s.withInstance("other")
		other.declares("- {name: others, chart: ./chart}\n")
		other.run().shows(converged, "others installed")
		s.destroy("--yes").shows(converged, "cache pruned, db pruned, web pruned, SECOND/mail pruned").
			deletes("web", "db", "cache")
		s.has("foreign 1, others 1")
		if s.hasState() {
			s.t.Error("the state was not deleted")
		}
		s.destroy("--yes").shows(converged, "")
		s.destroy().shows(converged, "")
		other.run().shows(converged, "others unchanged").writes("")
	},

	"releases with prune: keep, marked and undeclared releases are uninstalled as well": func(s *story) {
		s.installs(db, webKept, cache)
		s.declares(db)
		s.run().shows(converged, "cache marked, db unchanged, web orphaned")
		s.destroy("--yes").shows(converged, "cache pruned, db pruned, web pruned")
		s.has("")
	},

	"if a release cannot be uninstalled, the state and the needed releases stay": func(s *story) {
		s.bindSecond()
		s.installs(cache, db, "- {name: web, chart: ./chart, needs: [db], values: [{farewell: Not_A_Name}]}\n", "- {name: mail, chart: ./chart, namespace: SECOND}\n")
		s.destroy("--yes").shows(releasesFailed, "cache pruned, db skipped, web failed, SECOND/mail pruned")
		s.has("db 1, web 1")
		if !s.hasState() {
			s.t.Error("the state was deleted, so the agent cannot find the remaining releases")
		}
		s.destroy("--dry-run").shows(converged, "db to prune, web to prune")
	},

	"a release on which another Helm client works stays, and so do the needed releases": func(s *story) {
		s.installs(cache, db, "- {name: web, chart: ./chart, needs: [db]}\n")
		s.startsOtherClient("web")
		s.destroy("--yes").shows(releasesFailed, "cache pruned, db skipped, web refused").
			says("revision 1 has been pending-upgrade since ", "another Helm operation may be running; it counts as interrupted after 11m0s")
		s.has("db 1, web 1")
	},

	"a namespace that cannot be read is an error": func(s *story) {
		s.bindSecond()
		s.installs(db, webAway)
		s.unbindSecond()
		s.destroy("--yes").shows(forbidden, "").says(s.second()).writes("")
		s.has("SECOND/web 1, db 1")
		s.bindSecond()
		s.destroy("--yes").shows(converged, "db pruned, SECOND/web pruned")
	},

	"the person must type the name of the instance": func(s *story) {
		s.installs(db, web)
		for _, answer := range []string{"yes", "", "helmfile-agen"} {
			output := s.destroyWithAnswer(answer)
			contains(s.t, output.stdout, "db", "to prune", "Type the name of the instance, helmfile-agent", "not confirmed: nothing was uninstalled")
			if output.code != configInvalid {
				s.t.Errorf("answered %q: %s", answer, output)
			}
		}
		s.has("db 1, web 1")
		output := s.destroyWithAnswer("helmfile-agent")
		contains(s.t, output.stdout, "2 pruned")
		if output.code != converged {
			s.t.Error(output)
		}
		s.has("")
	},

	"Ctrl-C at the prompt ends the command at once": func(s *story) {
		s.installs(db)
		output, took := s.destroyInterrupted()
		contains(s.t, output.stdout, "not confirmed, nothing was uninstalled: stopped by signal: interrupt")
		if output.code != terminated || took > 5*time.Second {
			s.t.Errorf("it took %s: %s", took, output)
		}
		s.has("db 1")
	},
}

// startsOtherClient makes the newest revision pending, as if another Helm client had started an upgrade.
func (s *story) startsOtherClient(name string) {
	s.t.Helper()
	t := s.t
	secrets := driver.NewSecrets(client(t).CoreV1().Secrets(s.namespace))
	record := "sh.helm.release.v1." + name + ".v1"
	revision := must(secrets.Get(record))(t)
	revision.SetStatus(helm.StatusPendingUpgrade, "Preparing upgrade")
	revision.Info.LastDeployed = helmtime.Now()
	check(t, secrets.Update(record, revision))
}

func (s *story) destroy(args ...string) finishedRun {
	s.t.Helper()
	return s.execute("destroy", args...)
}

// destroyWithAnswer runs destroy in a terminal and types the answer.
func (s *story) destroyWithAnswer(answer string) result {
	s.t.Helper()
	cmd := s.destroyOnTerminal()
	cmd.Stdin = strings.NewReader(answer + "\n")
	stdout, err := cmd.Output()
	if cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return result{code: cmd.ProcessState.ExitCode(), stdout: string(stdout)}
}

// destroyInterrupted presses Ctrl-C when destroy asks, and returns the time until it ended.
func (s *story) destroyInterrupted() (result, time.Duration) {
	s.t.Helper()
	cmd := s.destroyOnTerminal()
	keyboard := must(cmd.StdinPipe())(s.t)
	screen := must(cmd.StdoutPipe())(s.t)
	check(s.t, cmd.Start())
	var stdout strings.Builder
	for lines := bufio.NewReader(screen); !strings.HasSuffix(stdout.String(), "to continue: "); {
		shown, err := lines.ReadByte()
		if err != nil {
			s.t.Fatalf("%v after %s", err, stdout.String())
		}
		stdout.WriteByte(shown)
	}
	pressed := time.Now()
	_, err := keyboard.Write([]byte{3})
	check(s.t, err)
	rest := must(io.ReadAll(screen))(s.t)
	_ = cmd.Wait() // the test checks the exit code
	return result{code: cmd.ProcessState.ExitCode(), stdout: stdout.String() + string(rest)}, time.Since(pressed)
}

func (s *story) destroyOnTerminal() *exec.Cmd {
	s.t.Helper()
	script, err := exec.LookPath("script")
	if err != nil {
		s.t.Fatal("script(1), of util-linux, is needed to make a terminal: ", err)
	}
	destroy := fmt.Sprintf("exec %s destroy --namespace %s --log-level warn", filepath.Join(binaries, "helmfile-agent"), s.namespace)
	cmd := exec.CommandContext(s.t.Context(), script, "--quiet", "--return", "--command", destroy, "/dev/null")
	cmd.Env = s.environment()
	return cmd
}
