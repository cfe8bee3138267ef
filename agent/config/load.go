package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/helmfile-agent/helmfile-agent/agent/config/internal/settings"
)

// namespaceFile is the file in which Kubernetes gives a pod its namespace.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// Flags registers the flags of a command. They accept any text: [Load] reports mistakes in them together with all others.
func Flags(fs *pflag.FlagSet, command string) { described.AddFlags(fs, command) }

// Load reads the configuration of a command from the flags that [Flags] registered, from environ (as os.Environ returns it) and from
// the file that they name. Its error lists every problem and has the exit code ConfigInvalid.
func Load(command string, fs *pflag.FlagSet, environ []string) (Config, error) {
	return load(command, fs, environ, namespaceFile, "/")
}

func load(command string, fs *pflag.FlagSet, environ []string, namespaceFile, root string) (Config, error) {
	entries, problems := readSources(fs, environ)
	b := builder{command: command, sources: map[string]settings.Source{}, invalid: map[string]bool{}, problems: problems}
	b.apply(entries)
	b.chooseCheckout()
	b.splitCredentials()
	b.readPassword()
	b.checkFiles()
	b.defaultNamespace(namespaceFile)
	b.defaultMemory(root)
	if err := b.problems.Err(); err != nil {
		return Config{}, err
	}
	return b.config, nil
}

// readSources returns the entries of all sources, those with the lowest priority first.
func readSources(fs *pflag.FlagSet, environ []string) ([]settings.Entry, settings.Problems) {
	flags := settings.FromFlags(fs)
	environment, inEnvironment := described.FromEnviron(environ)
	file, inFile := described.FromFile(configFile(slices.Concat(environment, flags)))
	return slices.Concat(described.Defaults(), file, environment, flags), slices.Concat(inFile, inEnvironment)
}

// configFile is the last entry of the setting config. It has the highest priority.
func configFile(entries []settings.Entry) settings.Entry {
	file := settings.Entry{Values: []string{""}}
	for _, e := range entries {
		if e.Name == "config" {
			file = e
		}
	}
	return file
}

// builder makes a Config from entries.
type builder struct {
	command  string
	config   Config
	sources  map[string]settings.Source // of each setting that was stored
	invalid  map[string]bool            // settings with a wrong value, which are not reported as missing too
	problems settings.Problems
}

// apply stores the entries in order, so the last entry of a setting wins. It also checks values that a later entry replaces: a mistake
// in them would appear when the later entry is removed.
func (b *builder) apply(entries []settings.Entry) {
	for _, e := range entries {
		if !e.UsedBy(b.command) {
			b.refuseForOtherCommands(e)
			continue
		}
		if err := store(&b.config, e); err != nil {
			b.refuse(e.Source.Text, fmt.Sprintf("%s %v", printable(e), err))
			b.invalid[e.Name] = true
			continue
		}
		b.sources[e.Name] = e.Source
	}
}

func (b *builder) refuseForOtherCommands(e settings.Entry) {
	if e.RefusedBy(b.command) && !e.HasNoEffect() {
		b.refuse(e.Source.Text, fmt.Sprintf("is not for %s: only %s can do it; remove it", b.command, strings.Join(e.Commands, ", ")))
	}
}

func (b *builder) refuse(where, what string) {
	b.problems = append(b.problems, settings.Problem{Where: where, What: what})
}

// printable is the value of an entry without credentials.
func printable(e settings.Entry) string {
	value := strings.Join(e.Values, ",")
	switch {
	case e.Secret:
		value = stars
	case e.Name == "repo":
		value = redact(value)
	}
	return fmt.Sprintf("%q", value)
}

// weaker returns which of two settings that exclude each other has the source with the lower priority, and must be ignored. It is a
// problem if both have the same source.
func (b *builder) weaker(one, other string) string {
	first, second := b.sources[one], b.sources[other]
	switch {
	case first.Rank < second.Rank:
		return one
	case first.Rank > second.Rank:
		return other
	default:
		b.refuse(second.Text, fmt.Sprintf("excludes %s: remove one of them", one))
		return ""
	}
}

// chooseCheckout decides between repo and dir. `diff --dir .` works also with a file that names a repository.
func (b *builder) chooseCheckout() {
	if !slices.Contains(readingRepository, b.command) {
		return
	}
	c := &b.config
	if c.Repo != "" && c.Dir != "" {
		switch b.weaker("repo", "dir") {
		case "repo":
			c.Repo = ""
		case "dir":
			c.Dir = ""
		}
	}
	switch {
	case c.Dir == "" && c.Repo == "" && !b.invalid["repo"]:
		b.refuse("repo", "is not given: "+b.howToSetCheckout())
	case c.Dir != "" && c.Repo == "" && c.Ref != "":
		b.dropRef()
	}
}

// dropRef removes the ref, because the files of a directory are read as they are. It is a problem only if the ref has the same source
// as the directory, or one with a higher priority.
func (b *builder) dropRef() {
	if b.sources["ref"].Rank >= b.sources["dir"].Rank {
		b.refuse(b.sources["ref"].Text, "has no meaning with dir: remove one of them")
	}
	b.config.Ref = ""
}

func (b *builder) howToSetCheckout() string {
	if slices.Contains(readingDirectory, b.command) {
		return "set --repo, HELMFILE_AGENT_REPO or repo in the file, or --dir for a local checkout"
	}
	return "set --repo, HELMFILE_AGENT_REPO or repo in the file"
}

// splitCredentials moves credentials from the URL into their own settings, unless these are set.
func (b *builder) splitCredentials() {
	c := &b.config
	clean, username, password := SplitRepo(c.Repo)
	c.Repo = clean
	if c.GitUsername == "" {
		c.GitUsername = username
	}
	if c.GitPassword == "" && c.GitPasswordFile == "" {
		c.GitPassword = password
	}
}

// readPassword reads the file with the password, without the line break that editors append.
func (b *builder) readPassword() {
	c := &b.config
	if c.GitPasswordFile == "" {
		return
	}
	if c.GitPassword != "" && b.weaker("gitPassword", "gitPasswordFile") != "gitPassword" {
		return
	}
	source := b.sources["gitPasswordFile"]
	content, err := os.ReadFile(c.GitPasswordFile)
	if err != nil {
		b.refuse(source.Text, fmt.Sprintf("%q cannot be read: %v", c.GitPasswordFile, settings.WithoutPath(err)))
		return
	}
	c.GitPassword = Secret(strings.TrimRight(string(content), "\r\n"))
	if c.GitPassword == "" {
		b.refuse(source.Text, fmt.Sprintf("%q contains no password: write it into the file", c.GitPasswordFile))
	}
}

// checkFiles checks that the files that other packages will read can be read.
func (b *builder) checkFiles() {
	c := b.config
	for _, file := range []struct{ setting, path string }{
		{"kubeconfig", c.Kubeconfig},
		{"gitSSHKeyFile", c.GitSSHKeyFile},
		{"gitKnownHostsFile", c.GitKnownHostsFile},
		{"gitCAFile", c.GitCAFile},
	} {
		if file.path == "" {
			continue
		}
		if _, err := os.ReadFile(file.path); err != nil {
			b.refuse(b.sources[file.setting].Text, fmt.Sprintf("%q cannot be read: %v", file.path, settings.WithoutPath(err)))
		}
	}
	if c.SopsKeys != "" {
		if _, err := os.ReadDir(c.SopsKeys); err != nil {
			b.refuse(b.sources["sopsKeys"].Text, fmt.Sprintf("%q cannot be read as a directory: %v", c.SopsKeys, settings.WithoutPath(err)))
		}
	}
}

// defaultNamespace sets the namespace of the pod. Outside of a pod the file does not exist, and package cluster uses the namespace of
// the kubeconfig.
func (b *builder) defaultNamespace(file string) {
	if b.config.Namespace != "" {
		return
	}
	content, err := os.ReadFile(file)
	switch {
	case err == nil:
		b.config.Namespace = strings.TrimSpace(string(content))
	case !errors.Is(err, fs.ErrNotExist):
		b.refuse("namespace", fmt.Sprintf("%q cannot be read: %v: set --namespace", file, settings.WithoutPath(err)))
	}
}
