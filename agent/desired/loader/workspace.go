package loader

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// Prepare makes the workspace of the loader. It has links named helm and kustomize to this binary, the plugins that helmfile requires, and
// directories for temporary files.
func Prepare(workspace string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	bin := filepath.Join(workspace, "bin")
	for _, dir := range append(writableDirs(workspace), bin) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	for _, name := range []string{"helm", "kustomize"} {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil && !os.IsExist(err) {
			return err
		}
	}
	return writePlugins(filepath.Join(workspace, "plugins"))
}

// writableDirs returns the directories that the loader may write to.
func writableDirs(workspace string) []string {
	var dirs []string
	for _, name := range []string{"home", "tmp", "helm", "helmfile"} {
		dirs = append(dirs, filepath.Join(workspace, name))
	}
	return dirs
}

// Environment returns the complete environment of the loader, apart from the variables that the operator allows.
func Environment(workspace string) map[string]string {
	temp := filepath.Join(workspace, "tmp")
	return map[string]string{
		"HOME":                   filepath.Join(workspace, "home"),
		"PATH":                   filepath.Join(workspace, "bin"),
		"TMPDIR":                 temp,
		"HELM_PLUGINS":           filepath.Join(workspace, "plugins"),
		"HELM_CACHE_HOME":        filepath.Join(workspace, "helm"),
		"HELM_CONFIG_HOME":       filepath.Join(workspace, "helm"),
		"HELM_DATA_HOME":         filepath.Join(workspace, "helm"),
		"HELM_REPOSITORY_CONFIG": filepath.Join(workspace, "helm", "repositories.yaml"),
		"HELMFILE_CACHE_HOME":    filepath.Join(workspace, "helmfile"),
		"HELMFILE_TEMPDIR":       temp,
		"CHARTIFY_TEMPDIR":       temp,
		// chartify does not start helm to find its version.
		"HELM_X_HELM3":           "1",
		broker.WorkspaceVariable: workspace,
	}
}

// setChildEnvironment sets environment variables for the children named helm and kustomize.
func setChildEnvironment(input protocol.Input) error {
	if err := child.ExportDeadline(input.Deadline); err != nil {
		return err
	}
	proxy := "http://127.0.0.1:" + strconv.Itoa(input.Proxy)
	return setenv(map[string]string{
		// chartify renders charts for it if the release names no namespace.
		"HELM_NAMESPACE":        input.Namespace,
		"HELM_REPOSITORY_CACHE": input.Charts, // it contains the rules for local charts
		sandbox.RootsVariable:   roots(input).String(),
		"HTTP_PROXY":            proxy,
		"HTTPS_PROXY":           proxy,
		"NO_PROXY":              "",
	})
}

func setenv(env map[string]string) error {
	for name, value := range env {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// writePlugins declares plugins, because helmfile checks that they are installed. This binary does their work.
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
