package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// podNamespace is where Kubernetes tells a pod its namespace.
const podNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// Load reads the configuration of a command from the flags that [Flags] registered, from environ (as os.Environ gives
// it) and from the file that they name. Its error lists every problem and has the exit code ConfigInvalid.
func Load(command string, fs *pflag.FlagSet, environ []string) (Config, error) {
	return load(command, fs, environ, podNamespace, "/")
}

// setting is one key as one source gave it.
type setting struct {
	key
	values []string
	from   origin
}

// origin says where a setting was given. The higher rank wins.
type origin struct {
	rank rank
	text string
}

type rank int

const (
	defaultRank rank = iota
	fileRank
	environmentRank
	flagRank
)

func load(command string, fs *pflag.FlagSet, environ []string, namespaceFile, root string) (Config, error) {
	flags := fromFlags(fs)
	environment, inEnvironment := fromEnviron(environ)
	file, inFile := fromFile(namedFile(slices.Concat(environment, flags)))

	b := builder{command: command, origins: map[string]origin{}, refused: map[string]bool{}, wrong: slices.Concat(inFile, inEnvironment)}
	b.apply(slices.Concat(defaults(), file, environment, flags))
	b.chooseCheckout()
	b.splitCredentials()
	b.readPassword()
	b.checkFiles()
	b.defaultNamespace(namespaceFile)
	b.defaultMemory(root)
	if err := b.wrong.err(); err != nil {
		return Config{}, err
	}
	return b.config, nil
}

// namedFile is the last, and so the strongest, setting of the key config.
func namedFile(given []setting) setting {
	file := setting{values: []string{""}}
	for _, s := range given {
		if s.name == "config" {
			file = s
		}
	}
	return file
}

func defaults() []setting {
	var given []setting
	for _, k := range keys {
		if k.fallback != "" {
			given = append(given, setting{k, []string{k.fallback}, origin{defaultRank, "default of " + k.name}})
		}
	}
	return given
}

// builder makes a Config out of settings and remembers where each came from.
type builder struct {
	command string
	config  Config
	origins map[string]origin
	refused map[string]bool // keys with a wrong value: they are not missing as well
	wrong   problems
}

// apply sets the weakest first. What is overridden is checked all the same: it is a mistake that waits.
func (b *builder) apply(given []setting) {
	for _, s := range given {
		if !s.appliesTo(b.command) {
			b.refuseForeign(s)
			continue
		}
		if err := s.set(&b.config, s.values); err != nil {
			b.refuse(s.from.text, fmt.Sprintf("%s %v", s.show(), err))
			b.refused[s.name] = true
			continue
		}
		b.origins[s.name] = s.from
	}
}

// refuseForeign refuses a setting of other commands, unless it asks for nothing or describes the installation.
func (b *builder) refuseForeign(s setting) {
	if s.refusedBy(b.command) && !s.asksNothing() {
		b.refuse(s.from.text, fmt.Sprintf("is not for %s: only %s can do it; remove it", b.command, strings.Join(s.commands, ", ")))
	}
}

// asksNothing is true of an empty value and of false, which are the defaults of every setting that asks something.
func (s setting) asksNothing() bool {
	if s.kind == toggle {
		on, err := strconv.ParseBool(s.values[0])
		return err == nil && !on
	}
	return strings.Join(s.values, "") == ""
}

func (b *builder) refuse(where, what string) { b.wrong = append(b.wrong, problem{where, what}) }

// show is the value as it may be printed.
func (s setting) show() string {
	value := strings.Join(s.values, ",")
	switch {
	case s.secret:
		value = stars
	case s.name == "repo":
		value = redact(value)
	}
	return fmt.Sprintf("%q", value)
}

// weaker is which of two keys that exclude each other was given by the weaker source, and so gives way. Given by the same
// source they are a problem.
func (b *builder) weaker(one, other string) string {
	switch a, z := b.origins[one], b.origins[other]; {
	case a.rank < z.rank:
		return one
	case a.rank > z.rank:
		return other
	default:
		b.refuse(z.text, fmt.Sprintf("excludes %s: give one of them", one))
		return ""
	}
}

// chooseCheckout settles where the helmfile comes from. `diff --dir .` works beside a file that names a repository.
func (b *builder) chooseCheckout() {
	if !slices.Contains(loading, b.command) {
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
	case c.Dir == "" && c.Repo == "" && !b.refused["repo"]:
		b.refuse("repo", "is not given: "+b.howToGive())
	case c.Dir != "" && c.Repo == "" && c.Ref != "":
		b.dropRef()
	}
}

// dropRef: the files of a dir are read as they are, whatever ref a weaker source names.
func (b *builder) dropRef() {
	if b.origins["ref"].rank >= b.origins["dir"].rank {
		b.refuse(b.origins["ref"].text, "has no meaning with dir: remove one of them")
	}
	b.config.Ref = ""
}

func (b *builder) howToGive() string {
	if slices.Contains(looking, b.command) {
		return "set --repo, HELMFILE_AGENT_REPO or repo in the file, or --dir for a local checkout"
	}
	return "set --repo, HELMFILE_AGENT_REPO or repo in the file"
}

// splitCredentials takes credentials out of the URL. Those given by their own keys are stronger.
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

// readPassword takes the password out of its file, without the line break that editors append.
func (b *builder) readPassword() {
	c := &b.config
	if c.GitPasswordFile == "" {
		return
	}
	if c.GitPassword != "" && b.weaker("gitPassword", "gitPasswordFile") != "gitPassword" {
		return
	}
	from := b.origins["gitPasswordFile"]
	content, err := os.ReadFile(c.GitPasswordFile)
	if err != nil {
		b.refuse(from.text, fmt.Sprintf("%q cannot be read: %v", c.GitPasswordFile, cause(err)))
		return
	}
	c.GitPassword = Secret(strings.TrimRight(string(content), "\r\n"))
	if c.GitPassword == "" {
		b.refuse(from.text, fmt.Sprintf("%q holds no password: write it into the file", c.GitPasswordFile))
	}
}

// checkFiles makes sure that the files another room will read are there.
func (b *builder) checkFiles() {
	c := b.config
	for _, file := range []struct{ key, path string }{
		{"kubeconfig", c.Kubeconfig},
		{"gitSSHKeyFile", c.GitSSHKeyFile},
		{"gitKnownHostsFile", c.GitKnownHostsFile},
		{"gitCAFile", c.GitCAFile},
	} {
		if file.path == "" {
			continue
		}
		if _, err := os.ReadFile(file.path); err != nil {
			b.refuse(b.origins[file.key].text, fmt.Sprintf("%q cannot be read: %v", file.path, cause(err)))
		}
	}
	if c.SopsKeys != "" {
		if _, err := os.ReadDir(c.SopsKeys); err != nil {
			b.refuse(b.origins["sopsKeys"].text, fmt.Sprintf("%q cannot be read as a directory: %v", c.SopsKeys, cause(err)))
		}
	}
}

// defaultNamespace is the pod's. Outside a pod the file is missing and the kubeconfig decides, which another room reads.
func (b *builder) defaultNamespace(file string) {
	if b.config.Namespace != "" {
		return
	}
	content, err := os.ReadFile(file)
	switch {
	case err == nil:
		b.config.Namespace = strings.TrimSpace(string(content))
	case !errors.Is(err, fs.ErrNotExist):
		b.refuse("namespace", fmt.Sprintf("%q cannot be read: %v: set --namespace", file, cause(err)))
	}
}
