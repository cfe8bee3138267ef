package loader

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/lookup"
)

// isolate makes the environment in which helmfile, and whatever it runs, finds nothing but what the run gives it: this
// binary as helm and kustomize, and private directories for all that is temporary.
func isolate(ctx context.Context, req Request) error {
	private()
	if err := hideSettings(); err != nil {
		return err
	}
	if err := exit.TellChildren(ctx); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	bin := filepath.Join(req.Workspace, "bin")
	plugins := filepath.Join(req.Workspace, "plugins")
	temp := filepath.Join(req.Workspace, "tmp")
	for _, dir := range []string{bin, plugins, temp} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	for _, name := range []string{"helm", "kustomize"} {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil && !os.IsExist(err) {
			return err
		}
	}
	if err := writePlugins(plugins); err != nil {
		return err
	}
	return setenv(map[string]string{
		"PATH":                   bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"TMPDIR":                 temp,
		"HELM_PLUGINS":           plugins,
		"HELM_CACHE_HOME":        filepath.Join(req.Workspace, "helm"),
		"HELM_REPOSITORY_CONFIG": req.repositoryFile(),
		"HELM_REPOSITORY_CACHE":  req.Charts.Dir(), // what one has downloaded the other need not
		"HELMFILE_CACHE_HOME":    filepath.Join(req.Workspace, "helmfile"),
		"HELMFILE_TEMPDIR":       temp,
		"CHARTIFY_TEMPDIR":       temp,
		// Where chartify's charts are rendered for when their release names no namespace.
		"HELM_NAMESPACE": req.Namespace,
		// chartify need not ask each time which Helm this is.
		"HELM_X_HELM3":  "1",
		lookup.Variable: req.Hidden.String(),
	})
}

// hideSettings takes the agent's own settings out of the environment, which templates can read: passwords are among them.
// They were read when the process began.
func hideSettings() error {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "HELMFILE_AGENT_") {
			continue
		}
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	return nil
}

// repositoryFile is where the children called helm read which repositories there are.
func (r Request) repositoryFile() string { return filepath.Join(r.Workspace, "repositories.yaml") }

func setenv(env map[string]string) error {
	for name, value := range env {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// writePlugins declares the plugins whose presence helmfile checks before it uses features that this binary serves itself.
func writePlugins(dir string) error {
	for name, version := range map[string]string{"secrets": "4.6.0", "diff": "3.15.10"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return err
		}
		content := fmt.Sprintf("name: %s\nversion: %s\n", name, version)
		if err := os.WriteFile(filepath.Join(dir, name, "plugin.yaml"), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

var ownBinary = regexp.MustCompile(`(?m)^(helmBinary|kustomizeBinary)[ \t]*:`)

// readFile is how helmfile reads every file. helmfile runs a state's own helmBinary before any override is looked at, so
// a file of the repository could be executed; it must be refused while the file is read.
func (l *loader) readFile(path string) ([]byte, error) {
	if err := l.req.refuseKeys(path); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if at := ownBinary.FindSubmatchIndex(content); at != nil {
		line := 1 + bytes.Count(content[:at[0]], []byte("\n"))
		return nil, fmt.Errorf("%s:%d: %s is not supported: the agent has Helm and kustomize built in; remove the line",
			path, line, content[at[2]:at[3]])
	}
	if err := refuseCommands(path, string(content)); err != nil {
		return nil, err
	}
	l.files.Store(filepath.Base(path), string(content))
	return content, nil
}
