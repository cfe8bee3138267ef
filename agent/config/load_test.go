package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

const repo = "https://git.example/config"

// input is the command, its arguments, its variables, and the content of the configuration file.
type input struct {
	command string // run if it is empty
	args    []string
	env     []string
	file    string
}

// load loads the configuration. Messages call the file config.yaml.
func (in input) load(t *testing.T) (Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if in.command == "" {
		in.command = Run
	}
	if in.file != "" {
		write(t, "config.yaml", in.file)
		in.env = append(in.env, "HELMFILE_AGENT_CONFIG=config.yaml")
	}
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Flags(fs, in.command)
	if err := fs.Parse(in.args); err != nil {
		t.Fatal(err)
	}
	return load(in.command, fs, in.env, "no-namespace-here", "no-root-here")
}

// workingDirectory is the current working directory.
func workingDirectory(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// defaultsWith is the configuration that has only the repository, and a change to it.
func defaultsWith(change func(*Config)) Config {
	c := Config{Repo: repo, Environment: "default", Instance: "helmfile-agent", Timeout: 10 * time.Minute, Concurrency: 4,
		Prune: "two-step", PruneMaxShare: 50, Drift: "correct", LogFormat: "json", Output: "text",
		Sandbox: "auto", LoaderMemory: 512 << 20, LoaderTime: 2 * time.Minute, GitMaxFiles: 50000, GitMaxSize: 512 << 20, GitMaxFileSize: 64 << 20}
	change(&c)
	return c
}

// destroyDefaults is the configuration of destroy without any setting.
func destroyDefaults() Config {
	return Config{Instance: "helmfile-agent", Timeout: 10 * time.Minute, Concurrency: 4, LogFormat: "json", Output: "text"}
}

func TestLoad(t *testing.T) {
	for name, test := range map[string]struct {
		input
		want func(*Config)
	}{
		"defaults":        {input{args: []string{"--repo", repo}}, func(*Config) {}},
		"the environment": {input{env: []string{"HELMFILE_AGENT_REPO=" + repo}}, func(*Config) {}},
		"the file":        {input{file: "repo: " + repo}, func(c *Config) { c.File = "config.yaml" }},
		"the environment wins over the file": {input{env: []string{"HELMFILE_AGENT_REF=env"}, file: "repo: " + repo + "\nref: file"},
			func(c *Config) { c.File, c.Ref = "config.yaml", "env" }},
		"a flag wins over the environment": {input{args: []string{"--ref=flag"}, env: []string{"HELMFILE_AGENT_REF=env", "HELMFILE_AGENT_REPO=" + repo}},
			func(c *Config) { c.Ref = "flag" }},
		"an empty variable is ignored": {input{env: []string{"HELMFILE_AGENT_TIMEOUT=", "HELMFILE_AGENT_REPO=" + repo}}, func(*Config) {}},
		"an empty flag unsets the file's": {input{args: []string{"--ref="}, file: "repo: " + repo + "\nref: file"},
			func(c *Config) { c.File = "config.yaml" }},
		"a file's values are taken as written": {input{file: "repo: " + repo + "\nref: 1.10\npath: apps/"},
			func(c *Config) { c.File, c.Ref, c.Path = "config.yaml", "1.10", "apps" }},
		"lists in the file": {input{file: "repo: " + repo + "\nselector: [a=b, 'c=d,e!=f']\nstateValuesSet:\n- x=1,y=2\nstateValuesFile: &f [a.yaml]\n"},
			func(c *Config) {
				c.File, c.Selector = "config.yaml", []string{"a=b", "c=d,e!=f"}
				c.StateValuesSet, c.StateValuesFile = []string{"x=1", "y=2"}, []string{"a.yaml"}
			}},
		"lists in the environment": {input{env: []string{"HELMFILE_AGENT_REPO=" + repo, "HELMFILE_AGENT_SELECTOR=a=b\nc=d,e!=f\n",
			"HELMFILE_AGENT_STATE_VALUES_SET=x=1, y=2", "HELMFILE_AGENT_STATE_VALUES_FILE=a.yaml,/b.yaml"}},
			func(c *Config) {
				c.Selector = []string{"a=b", "c=d,e!=f"}
				c.StateValuesSet, c.StateValuesFile = []string{"x=1", "y=2"}, []string{"a.yaml", "/b.yaml"}
			}},
		"lists as flags replace the file's": {input{args: []string{"--repo", repo, "--selector=a=b", "--selector=c=d"}, file: "selector: [x=y]"},
			func(c *Config) { c.File, c.Selector = "config.yaml", []string{"a=b", "c=d"} }},
		"a setting without effect is accepted by every command": {input{file: "repo: " + repo + "\ndir: ''\ndetailedExitcode: false\nyes: false\nroles: false"},
			func(c *Config) { c.File = "config.yaml" }},
		"a dry run":            {input{file: "repo: " + repo + "\ndryRun: true"}, func(c *Config) { c.File, c.DryRun = "config.yaml", true }},
		"a dry run, by a flag": {input{args: []string{"--repo", repo, "--dry-run"}}, func(c *Config) { c.DryRun = true }},
		"access accepts the file of an installation": {input{command: Access, file: "repo: " + repo + "\nprune: off\npruneGrace: 1h\ndryRun: true"},
			func(c *Config) { c.File, c.Prune, c.PruneMaxShare, c.DryRun = "config.yaml", "", 0, true }},
		"diff of a directory, although the file has a repository": {input{command: Diff, args: []string{"--dir=.", "--detailed-exitcode"},
			file: "repo: " + repo + "\nref: main"},
			func(c *Config) {
				c.File, c.Repo, c.Dir, c.DetailedExitcode = "config.yaml", "", workingDirectory(t), true
			}},
		"diff of a repository, although the file has a directory": {input{command: Diff, args: []string{"--repo", repo, "--ref=main"}, file: "dir: ."},
			func(c *Config) { c.File, c.Ref = "config.yaml", "main" }},
		"pruning": {input{args: []string{"--repo", repo, "--prune=report", "--prune-grace=24h", "--prune-max-share=0%"},
			env: []string{"HELMFILE_AGENT_PRUNE_ALLOW=3f2a9c1"}},
			func(c *Config) {
				c.Prune, c.PruneGrace, c.PruneMaxShare, c.PruneAllow = "report", 24*time.Hour, 0, "3f2a9c1"
			}},
		"releases of Helm 4 are taken over": {input{args: []string{"--repo", repo, "--adopt-server-side"}},
			func(c *Config) { c.AdoptServerSide = true }},
		"pruning in the file": {input{file: "repo: " + repo + "\nprune: off\npruneGrace: 30m\npruneMaxShare: 20%\npruneAllow: '0123456'"},
			func(c *Config) {
				c.File, c.Prune, c.PruneGrace, c.PruneMaxShare, c.PruneAllow = "config.yaml", "off", 30*time.Minute, 20, "0123456"
			}},
		"a percentage without its sign": {input{args: []string{"--repo", repo, "--prune-max-share=100"}}, func(c *Config) { c.PruneMaxShare = 100 }},
		"drift": {input{args: []string{"--repo", repo, "--drift-ignore=Deployment.apps/web:/spec/replicas", "--drift-ignore=*:/metadata/labels/team"},
			env: []string{"HELMFILE_AGENT_DRIFT=warn"}},
			func(c *Config) {
				c.Drift = "warn"
				c.DriftIgnore = []release.IgnoreRule{{Kind: "Deployment", Group: "apps", Name: "web", Paths: []string{"/spec/replicas"}},
					{Paths: []string{"/metadata/labels/team"}}}
			}},
		"drift in the file": {input{file: "repo: " + repo + "\ndrift: off\ndriftIgnore:\n- Deployment/web:/spec/replicas,/spec/paused\n"},
			func(c *Config) {
				c.File, c.Drift = "config.yaml", "off"
				c.DriftIgnore = []release.IgnoreRule{{Kind: "Deployment", Name: "web", Paths: []string{"/spec/replicas", "/spec/paused"}}}
			}},
		"rules in the environment, one per line": {input{env: []string{"HELMFILE_AGENT_REPO=" + repo, "HELMFILE_AGENT_DRIFT_IGNORE=Service:/spec,/data\n:/status\n"}},
			func(c *Config) {
				c.DriftIgnore = []release.IgnoreRule{{Kind: "Service", Paths: []string{"/spec", "/data"}}, {Paths: []string{"/status"}}}
			}},
		"limits of the repository": {input{args: []string{"--repo", repo, "--git-max-files=10", "--git-max-size=1Gi", "--git-allow-plain-http"},
			env: []string{"HELMFILE_AGENT_GIT_MAX_FILE_SIZE=1000"}},
			func(c *Config) {
				c.GitMaxFiles, c.GitMaxSize, c.GitMaxFileSize, c.GitAllowPlainHTTP = 10, 1<<30, 1000, true
			}},
		"limits of the repository in the file": {input{file: "repo: " + repo + "\ngitMaxFiles: 10\ngitMaxSize: 1Gi\ngitMaxFileSize: 1000\ngitAllowPlainHttp: true"},
			func(c *Config) {
				c.File = "config.yaml"
				c.GitMaxFiles, c.GitMaxSize, c.GitMaxFileSize, c.GitAllowPlainHTTP = 10, 1<<30, 1000, true
			}},
		"the loader": {input{args: []string{"--repo", repo, "--sandbox=required", "--template-env=VAULT_TOKEN", "--loader-memory=1Gi", "--loader-time=30s"}},
			func(c *Config) {
				c.Sandbox, c.TemplateEnv, c.LoaderMemory, c.LoaderTime = "required", []string{"VAULT_TOKEN"}, 1<<30, 30*time.Second
			}},
		"remote hosts": {input{args: []string{"--repo", repo, "--allow-remote=git.example.com:8443", "--allow-remote=*.corp.example"}},
			func(c *Config) { c.AllowRemote = []string{"git.example.com:8443", "*.corp.example"} }},
		"remote hosts in the environment": {input{env: []string{"HELMFILE_AGENT_REPO=" + repo, "HELMFILE_AGENT_ALLOW_REMOTE=127.0.0.1,10.0.0.0/8, ::1"}},
			func(c *Config) { c.AllowRemote = []string{"127.0.0.1", "10.0.0.0/8", "::1"} }},
		"destroy reads no repository": {input{command: Destroy, args: []string{"--yes", "--dry-run", "--instance=shop"}},
			func(c *Config) { *c = destroyDefaults(); c.Instance, c.Yes, c.DryRun = "shop", true, true }},
		"destroy with the file of an installation": {input{command: Destroy, file: "repo: " + repo + "\nref: main\nprune: off\ngitPassword: hunter2"},
			func(c *Config) { *c = destroyDefaults(); c.File = "config.yaml" }},
		"credentials are removed from the URL": {input{args: []string{"--repo=https://ada:s%2Fecret@git.example/config"}},
			func(c *Config) { c.GitUsername, c.GitPassword = "ada", "s/ecret" }},
		"settings with credentials win over the URL": {input{args: []string{"--repo=https://ada:secret@git.example/config"},
			env: []string{"HELMFILE_AGENT_GIT_PASSWORD=other"}},
			func(c *Config) { c.GitUsername, c.GitPassword = "ada", "other" }},
		"the user of SSH stays": {input{args: []string{"--repo=ssh://git:secret@git.example/config"}},
			func(c *Config) { c.Repo, c.GitPassword = "ssh://git@git.example/config", "secret" }},
		"variables that Kubernetes sets for a Service are ignored": {input{env: []string{"HELMFILE_AGENT_REPO=" + repo,
			"HELMFILE_AGENT_SERVICE_HOST=10.0.0.1", "HELMFILE_AGENT_SERVICE_PORT=80", "HELMFILE_AGENT_SERVICE_PORT_HTTP=80",
			"HELMFILE_AGENT_PORT=tcp://10.0.0.1:80", "HELMFILE_AGENT_PORT_80_TCP=tcp://10.0.0.1:80", "HELMFILE_AGENT_PORT_80_TCP_ADDR=10.0.0.1",
			"HELMFILE_AGENT_METRICS_SERVICE_HOST=10.0.0.1", "HELMFILE_AGENT_METRICS_PORT_80_TCP_PROTO=tcp"}},
			func(*Config) {}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.load(t)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(defaultsWith(test.want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRepositoriesThatAreAccepted(t *testing.T) {
	for _, repo := range []string{"https://git.example/a/b.git", "http://localhost:8080/a", "ssh://git@git.example:2222/a", "git://git.example/a",
		"git@git.example:a/b.git", "git.example:a", "file:///srv/git/a", "file://localhost/srv", "/srv/git/a:b"} {
		if err := isRepository(repo); err != nil {
			t.Errorf("%s %v", repo, err)
		}
	}
}

func TestAllProblemsAreListedAtOnce(t *testing.T) {
	g := input{
		args: []string{"--timeout=0s", "--repo=https://ada:hun/ter2@git.example", "--git-ssh-key-file=/nowhere/key"},
		env: []string{"HELMFILE_AGENT_LOG_LEVEL=loud", "HELMFILE_AGENT_TIMOUT=5m", "HELMFILE_AGENT_GIT_PASSWORD=hunter2",
			"HELMFILE_AGENT_GIT_PASSWORD_FILE=/nowhere/password"},
		file: `repoo: x
ref: HEAD~1
path: ../other
instance: Not_A_Name
concurrency: "4"
timeout: soon
ref: main
selector: a=b
stateValuesSet: [a=1, b]
namespace:
detailedExitcode: yes
kubeconfig: true
zzzzzzzzzz: 1
config: other.yaml
logFormat: {a: b}
output: xml
---
gitPassword: hunter2
`}
	want := strings.TrimSpace(`
read configuration: 23 problems:
  config.yaml:1: "repoo" is not a known key: did you mean repo?
  config.yaml:5: concurrency has a text, but needs a whole number, without quotes
  config.yaml:7: repeats the key "ref" of line 2: remove one of them
  config.yaml:8: selector needs a list: write one ` + "`- item`" + ` per line
  config.yaml:10: namespace has no value: write one, or remove the line
  config.yaml:11: detailedExitcode has a text, but needs true or false, without quotes
  config.yaml:12: kubeconfig has true or false, but needs a text, in quotes
  config.yaml:13: "zzzzzzzzzz" is not a known key: remove it
  config.yaml:14: "config" is not a known key: remove it
  config.yaml:15: logFormat has a mapping, but needs a text, in quotes
  config.yaml:17: begins a second document: write everything in one document, and remove the ---
  environment HELMFILE_AGENT_TIMOUT: is not a known variable: did you mean HELMFILE_AGENT_TIMEOUT?
  config.yaml:2: ref: "HEAD~1" cannot be a ref: use a branch, a tag, a full ref or a commit; git expressions such as HEAD~1 are not supported
  config.yaml:3: path: "../other" leads out of the repository: use a path relative to its root, without ..
  config.yaml:4: instance: "Not_A_Name" cannot be the name of an instance: use at most 52 lower-case letters, digits, - and ., starting and ending with a letter or digit
  config.yaml:6: timeout: "soon" is not a duration: write it like 90s, 10m or 1h30m
  config.yaml:9: stateValuesSet: "a=1,b" has the item "b", which is not key=value: write it like image.tag=v2
  config.yaml:16: output: "xml" is unknown: use one of text, json
  environment HELMFILE_AGENT_LOG_LEVEL: "loud" is unknown: use one of debug, info, warn, error
  flag --repo: "https://*****@git.example" is not a URL: percent-encode special characters, for example in the password
  flag --timeout: "0s" is too short: use more than 0s
  environment HELMFILE_AGENT_GIT_PASSWORD_FILE: excludes gitPassword: remove one of them
  flag --git-ssh-key-file: "/nowhere/key" cannot be read: no such file or directory`)
	_, err := g.load(t)
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" || exit.Of(err) != exit.ConfigInvalid {
		t.Error(exit.Of(err), diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		input
		want string
	}{
		"a run without a repository":                 {input{}, `repo: is not given: set --repo, HELMFILE_AGENT_REPO or repo in the file`},
		"a diff without a repository or a directory": {input{command: Diff}, `repo: is not given: set --repo, HELMFILE_AGENT_REPO or repo in the file, or --dir for a local checkout`},
		"a diff with a repository and a directory":   {input{command: Diff, args: []string{"--repo", repo, "--dir=."}}, "flag --dir: excludes repo: remove one of them"},
		"a ref with a directory":                     {input{command: Diff, args: []string{"--ref=x", "--dir=."}}, "flag --ref: has no meaning with dir: remove one of them"},
		"a file that is missing":                     {input{args: []string{"--repo", repo, "--config=nowhere.yaml"}}, `flag --config: "nowhere.yaml" cannot be read: no such file or directory`},
		"a file that is not YAML":                    {input{args: []string{"--repo", repo}, file: "a: b\nc: d: e"}, "config.yaml:2: is not YAML: mapping values are not allowed in this context"},
		"a file that is a list":                      {input{args: []string{"--repo", repo}, file: "- repo"}, "config.yaml:1: is not a mapping: write one `key: value` per line"},
		"a password that looks like an alias":        {input{args: []string{"--repo", repo}, file: "gitPassword: *hunter2"}, "config.yaml: is not YAML: a value that begins with * refers to an anchor that does not exist: put the value in quotes"},
		"a password with a tag":                      {input{args: []string{"--repo", repo}, file: "gitPassword: !hunter2 x"}, "config.yaml:1: gitPassword has a value with a YAML tag, but needs a text, in quotes"},
		"a relative path":                            {input{args: []string{"--repo=./config"}}, `flag --repo: "./config" is neither a URL nor an absolute path: write it like https://host/path, git@host:path or /path`},
		"an unknown scheme":                          {input{args: []string{"--repo=ftp://host/x"}}, `flag --repo: "ftp://host/x" has the unknown scheme "ftp": use https, http, ssh, git or file`},
		"a token in the query":                       {input{args: []string{"--repo=https://host/x?token=hunter2"}}, `flag --repo: "https://host/x?*****" has a query or fragment: remove everything after ? or #, and use the setting ref for a branch or tag`},
		"a repository without a path":                {input{args: []string{"--repo=https://host/"}}, `flag --repo: "https://host/" has no path: add the path of the repository`},
		"an invalid selector":                        {input{args: []string{"--repo", repo, "--selector=a==b"}}, `flag --selector: "a==b" is not a selector: write key=value or key!=value, with commas between terms that must all match`},
		"no files":                                   {input{args: []string{"--repo", repo, "--git-max-files=0"}}, `flag --git-max-files: "0" is not a whole number from 1 to 10000000`},
		"a size of 0":                                {input{args: []string{"--repo", repo, "--git-max-size=0"}}, `flag --git-max-size: "0" is not a size from 1 to 1Pi: write it like 64Mi or 1Gi`},
		"an invalid size":                            {input{args: []string{"--repo", repo, "--git-max-file-size=large"}}, `flag --git-max-file-size: "large" is not a size from 1 to 1Pi: write it like 64Mi or 1Gi`},
		"a size above the limit":                     {input{args: []string{"--repo", repo, "--git-max-size=2Pi"}}, `flag --git-max-size: "2Pi" is not a size from 1 to 1Pi: write it like 64Mi or 1Gi`},
		"too much concurrency":                       {input{args: []string{"--repo", repo, "--concurrency=65"}}, `flag --concurrency: "65" is not a whole number from 1 to 64`},
		"an instance that is too long":               {input{args: []string{"--repo", repo, "--instance=" + strings.Repeat("a", 53)}}, `cannot be the name of an instance`},
		"an unknown value of prune":                  {input{args: []string{"--repo", repo, "--prune=always"}}, `flag --prune: "always" is unknown: use one of two-step, report, off`},
		"an unknown value of drift":                  {input{args: []string{"--repo", repo, "--drift=ignore"}}, `flag --drift: "ignore" is unknown: use one of correct, warn, off`},
		"a rule without a field":                     {input{args: []string{"--repo", repo, "--drift-ignore=Service"}}, `flag --drift-ignore: "Service" is not a rule`},
		"a grace without a unit":                     {input{args: []string{"--repo", repo, "--prune-grace=5"}}, `flag --prune-grace: "5" is not a duration: write it like 0s, 30m or 24h`},
		"a negative grace":                           {input{args: []string{"--repo", repo, "--prune-grace=-1h"}}, `flag --prune-grace: "-1h" is not a duration: write it like 0s, 30m or 24h`},
		"a share above 100%":                         {input{args: []string{"--repo", repo, "--prune-max-share=101%"}}, `flag --prune-max-share: "101%" is not a percentage from 0% to 100%: write it like 50%`},
		"a negative share":                           {input{args: []string{"--repo", repo, "--prune-max-share=-1"}}, `flag --prune-max-share: "-1" is not a percentage from 0% to 100%: write it like 50%`},
		"a share that is not whole":                  {input{args: []string{"--repo", repo, "--prune-max-share=0.5"}}, `flag --prune-max-share: "0.5" is not a percentage from 0% to 100%: write it like 50%`},
		"a commit that is too short":                 {input{args: []string{"--repo", repo, "--prune-allow=3f2a9c"}}, `flag --prune-allow: "3f2a9c" is not a commit: use 7 to 40 of its hexadecimal digits, in lower case`},
		"a branch instead of a commit":               {input{args: []string{"--repo", repo, "--prune-allow=main"}}, `flag --prune-allow: "main" is not a commit`},
		"a remote host with a scheme":                {input{args: []string{"--repo", repo, "--allow-remote=git.example", "--allow-remote=https://x.example/"}}, `has the item "https://x.example/", which is not a host: write host, host:port, *.domain, an IP address, a CIDR or *`},
		"a switch that is neither true nor false":    {input{command: Diff, args: []string{"--repo", repo, "--detailed-exitcode=maybe"}}, `flag --detailed-exitcode: "maybe" is neither true nor false: use one of them`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.load(t)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if exit.Of(err) != exit.ConfigInvalid {
				t.Errorf("exit code %v", exit.Of(err))
			}
		})
	}
}

func TestPasswordFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	write(t, file, "hunter2\r\n")
	got, err := input{args: []string{"--repo", repo, "--git-password-file", file}}.load(t)
	if err != nil || got.GitPassword != "hunter2" {
		t.Errorf("got %q, %v", string(got.GitPassword), err)
	}
	got, err = input{args: []string{"--repo", repo}, env: []string{"HELMFILE_AGENT_GIT_PASSWORD=other"}, file: "gitPasswordFile: " + file}.load(t)
	if err != nil || got.GitPassword != "other" {
		t.Errorf("the environment does not win over the file: %q, %v", string(got.GitPassword), err)
	}
	write(t, file, "\n")
	if _, err = (input{args: []string{"--repo", repo, "--git-password-file", file}}).load(t); err == nil {
		t.Error("an empty password file is accepted")
	}
}

func TestDefaultNamespaceIsThatOfThePod(t *testing.T) {
	file := filepath.Join(t.TempDir(), "namespace")
	write(t, file, "shop\n")
	env := []string{"HELMFILE_AGENT_REPO=" + repo}
	got, err := load(Run, nil, env, file, "no-root-here")
	if err != nil || got.Namespace != "shop" {
		t.Errorf("got %q, %v", got.Namespace, err)
	}
	got, err = load(Run, nil, append(env, "HELMFILE_AGENT_NAMESPACE=other"), file, "no-root-here")
	if err != nil || got.Namespace != "other" {
		t.Errorf("got %q, %v", got.Namespace, err)
	}
}

// TestPathsAreAbsolute: a relative path means the same file also after the working directory has changed.
func TestPathsAreAbsolute(t *testing.T) {
	for flag, of := range map[string]func(Config) string{
		"--kubeconfig":           func(c Config) string { return c.Kubeconfig },
		"--sops-keys":            func(c Config) string { return c.SopsKeys },
		"--git-password-file":    func(c Config) string { return c.GitPasswordFile },
		"--git-ssh-key-file":     func(c Config) string { return c.GitSSHKeyFile },
		"--git-known-hosts-file": func(c Config) string { return c.GitKnownHostsFile },
		"--git-ca-file":          func(c Config) string { return c.GitCAFile },
	} {
		t.Run(flag, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			write(t, "file", "content")
			name := "file"
			if flag == "--sops-keys" {
				name = "keys"
				if err := os.Mkdir(name, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
			Flags(fs, Run)
			if err := fs.Parse([]string{"--repo", repo, flag, name}); err != nil {
				t.Fatal(err)
			}
			c, err := load(Run, fs, nil, "no-namespace-here", "no-root-here")
			if err != nil {
				t.Fatal(err)
			}
			if got := of(c); got != filepath.Join(dir, name) {
				t.Errorf("%s is %q", flag, got)
			}
		})
	}
}

// TestSettingIsUsedOrRefused: a command refuses a setting that would change what it does but that it does not use. This is true for
// every source, also for a file that several commands use.
func TestSettingIsUsedOrRefused(t *testing.T) {
	checkout := t.TempDir()
	usedBy := map[string]struct{ variable, line, commands string }{
		"dir":              {"HELMFILE_AGENT_DIR=" + checkout, "dir: " + checkout, "diff access"},
		"selector":         {"HELMFILE_AGENT_SELECTOR=app=web", "selector: [app=web]", "run diff access"},
		"yes":              {"HELMFILE_AGENT_YES=true", "yes: true", "destroy"},
		"dryRun":           {"HELMFILE_AGENT_DRY_RUN=true", "dryRun: true", "run diff access destroy"},
		"roles":            {"HELMFILE_AGENT_ROLES=1", "roles: true", "access"},
		"detailedExitcode": {"HELMFILE_AGENT_DETAILED_EXITCODE=true", "detailedExitcode: true", "diff"},
	}
	for name, test := range usedBy {
		for _, command := range []string{Run, Diff, Access, Destroy} {
			repository := "\nrepo: " + repo
			if name == "dir" {
				repository = ""
			}
			for source, in := range map[string]input{
				"the file":        {command: command, file: test.line + repository},
				"the environment": {command: command, env: []string{test.variable}, file: "instance: shop" + repository},
			} {
				_, err := in.load(t)
				used := slices.Contains(strings.Fields(test.commands), command)
				refused := err != nil && strings.Contains(err.Error(), "is not for "+command+": only ") && exit.Of(err) == exit.ConfigInvalid
				if used && err != nil || !used && !refused {
					t.Errorf("%s with %s in %s: %v", command, name, source, err)
				}
			}
		}
	}
}
