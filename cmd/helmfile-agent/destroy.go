package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/helmfile-agent/helmfile-agent/agent"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

func destroyCommand(code *exit.Code) *cobra.Command {
	return command(config.Destroy, "Uninstall everything that the instance owns, after a confirmation", code, func(s session) exit.Code {
		destroy := func(a *agent.Agent, ctx context.Context) report.Report { return a.Destroy(ctx, s.confirm) }
		result := s.do(destroy, report.Report.WriteText)
		s.print(report.Report.WriteText, result)
		return result.Code()
	})
}

// confirm shows what will be uninstalled, and asks for the name of the instance. A script cannot answer and must use --yes.
func (s session) confirm(ctx context.Context, planned report.Report) error {
	if s.cfg.Yes || len(planned.Outcomes) == 0 {
		return nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return exit.With(exit.ConfigInvalid, errors.New("destroy asks for a confirmation, but standard input is not a terminal: use --yes to skip the confirmation, or --dry-run to only list what would be uninstalled"))
	}
	if err := planned.WriteText(s.stderr, s.stderrStyle); err != nil {
		return err
	}
	fmt.Fprintf(s.stderr, "\nUninstall all of these? Type the name of the instance, %s, to continue: ", s.cfg.Instance)
	if err := s.stderr.Flush(); err != nil {
		return err
	}
	answer, err := readLine(ctx, os.Stdin)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("not confirmed, nothing was uninstalled: %w", context.Cause(ctx))
	case err != nil || strings.TrimSpace(answer) != s.cfg.Instance:
		return exit.With(exit.ConfigInvalid, errors.New("not confirmed: nothing was uninstalled"))
	}
	return nil
}

// readLine reads one line, or returns the cause when ctx ends. A read from a terminal cannot be cancelled, so the goroutine may wait
// until the process exits.
func readLine(ctx context.Context, from io.Reader) (string, error) {
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(from).ReadString('\n')
		read <- line{text, err}
	}()
	select {
	case l := <-read:
		return l.text, l.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
