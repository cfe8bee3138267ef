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

// Prepare makes the loader's workspace: this binary as helm and kustomize, the plugins that helmfile looks for, and directories for
// all that is temporary.
func Prepare(workspace string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	bin := filepath.Join(workspace, "bin")
	for _, dir := range append(writable(workspace), bin) {
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

// writable are the directories that the loader may write to.
func writable(workspace string) []string {
	var dirs []string
	for _, name := range []string{"home", "tmp", "helm", "helmfile"} {
		dirs = append(dirs, filepath.Join(workspace, name))
	}
	return dirs
}

// Environment is what the loader and its children are started with; nothing else reaches them.
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
		// chartify need not ask each time which Helm this is.
		"HELM_X_HELM3":           "1",
		broker.WorkspaceVariable: workspace,
	}
}

// tellChildren puts into the environment what the children called helm and kustomize need of the input.
func tellChildren(input protocol.Input) error {
	if err := child.ExportDeadline(input.Deadline); err != nil {
		return err
	}
	proxy := "http://127.0.0.1:" + strconv.Itoa(input.Proxy)
	return setenv(map[string]string{
		// Where chartify's charts are rendered for when their release names no namespace.
		"HELM_NAMESPACE":        input.Namespace,
		"HELM_REPOSITORY_CACHE": input.Charts, // the rules for local charts lie there
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
