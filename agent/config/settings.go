package config

import (
	"slices"
	"strings"
	"unicode"

	"github.com/helmfile-agent/helmfile-agent/agent/egress"
)

// The commands that read a configuration.
const (
	Run     = "run"
	Diff    = "diff"
	Access  = "access"
	Destroy = "destroy"
)

var (
	// loading are the commands that read a repository.
	loading = []string{Run, Diff, Access}
	// looking are those of them that also read a local checkout.
	looking = []string{Diff, Access}
	// planning are those that decide what is to be done.
	planning = []string{Run, Diff}
)

const variablePrefix = "HELMFILE_AGENT_"

// kind is the type of a key's value, by the word that --help shows for it.
type kind string

const (
	text     kind = "text"
	number   kind = "number"
	duration kind = "duration"
	toggle   kind = "bool" // pflag knows this word: it shows none for a flag that needs no value
	list     kind = "list"
)

// key describes one setting. The flags, the variables, the file's schema and the reference all derive from it.
type key struct {
	name     string // in the file; see flag and variable
	kind     kind
	fallback string   // the default, written as the user would
	shown    string   // the default in words, where no value can say it
	commands []string // that honour it; none means all
	asks     bool     // it asks something of those commands, and all others refuse it; see key.refusedBy
	comma    bool     // a list whose items hold no commas: commas separate them in the environment, not only line breaks
	secret   bool     // is never shown, and has no flag, because `ps` shows flags
	noFile   bool     // cannot be in the file
	set      func(*Config, []string) error
	usage    string
}

// keys is the one table of settings, in the order people read them.
var keys = []key{
	{name: "config", kind: text, noFile: true, set: words(func(c *Config) *string { return &c.File }),
		usage: "YAML file with any of these keys"},

	{name: "repo", commands: loading, kind: text, set: words(func(c *Config) *string { return &c.Repo }, isRepository),
		usage: "repository to clone: a URL (https, http, ssh, git, file), git@host:path or an absolute path"},
	{name: "ref", commands: loading, kind: text, shown: "the remote's HEAD", set: words(func(c *Config) *string { return &c.Ref }, isRef),
		usage: "branch, tag, full ref or commit; a branch wins over a tag of the same name"},
	{name: "path", commands: loading, kind: text, shown: "helmfile's own search", set: setPath,
		usage: "helmfile or directory of helmfiles, relative to the checkout"},
	{name: "dir", kind: text, commands: looking, asks: true, set: paths(func(c *Config) *string { return &c.Dir }),
		usage: "local checkout to read instead of repo and ref"},

	{name: "environment", commands: loading, kind: text, fallback: "default", set: words(func(c *Config) *string { return &c.Environment }, notEmpty),
		usage: "helmfile environment"},
	{name: "stateValuesSet", commands: loading, kind: list, comma: true, set: setStateValues,
		usage: "key=value for helmfile's state values, like helmfile's --state-values-set"},
	{name: "stateValuesFile", commands: loading, kind: list, comma: true, set: lists(func(c *Config) *[]string { return &c.StateValuesFile }, staysInside),
		usage: "file of state values, relative to the state file, like helmfile's --state-values-file"},
	{name: "selector", commands: loading, asks: true, kind: list, set: lists(func(c *Config) *[]string { return &c.Selector }, isSelector),
		usage: "only releases with these labels, like helmfile's --selector; several are alternatives"},

	{name: "instance", kind: text, fallback: "helmfile-agent", set: words(func(c *Config) *string { return &c.Instance }, isInstance),
		usage: "owner of the releases; two agents in one namespace need two names"},
	{name: "namespace", kind: text, shown: "the pod's, else the kubeconfig context's",
		set:   words(func(c *Config) *string { return &c.Namespace }, isNamespace),
		usage: "namespace of the agent itself"},
	{name: "kubeconfig", kind: text, shown: "the pod's service account, else the usual search",
		set:   paths(func(c *Config) *string { return &c.Kubeconfig }),
		usage: "kubeconfig file"},
	{name: "context", kind: text, shown: "the current one", set: words(func(c *Config) *string { return &c.Context }),
		usage: "context of the kubeconfig"},
	{name: "timeout", kind: duration, fallback: "10m", set: setTimeout,
		usage: "time the whole run may take, such as 90s, 10m or 1h30m"},
	{name: "concurrency", kind: number, fallback: "4", set: setConcurrency,
		usage: "releases worked on at a time, 1 to 64"},

	{name: "prune", commands: planning, kind: text, fallback: "two-step",
		set:   words(func(c *Config) *string { return &c.Prune }, oneOf("two-step", "report", "off")),
		usage: "what becomes of releases that are no longer declared: two-step marks and later uninstalls them, report and off leave them"},
	{name: "pruneGrace", commands: planning, kind: duration, fallback: "0s", set: setPruneGrace,
		usage: "time from the mark to the uninstall; 0 uninstalls with the next run"},
	{name: "pruneMaxShare", commands: planning, kind: text, fallback: "50%", set: setPruneMaxShare,
		usage: "share of all releases that one run may prune"},
	{name: "pruneAllow", commands: planning, kind: text, set: words(func(c *Config) *string { return &c.PruneAllow }, isCommit),
		usage: "commit whose prunes are let through although they are too many, or nothing is declared, or the origin changed"},

	{name: "drift", commands: loading, kind: text, fallback: "correct",
		set:   words(func(c *Config) *string { return &c.Drift }, oneOf("correct", "warn", "off")),
		usage: "what becomes of live objects that are not as declared: correct makes them so, warn reports them, off does not look"},
	{name: "driftIgnore", commands: planning, kind: list, set: setDriftIgnore,
		usage: "fields that may differ, as KIND[.GROUP][/[NAMESPACE/]NAME]:JSON-POINTER[,JSON-POINTER], such as Deployment.apps/web:/spec/replicas"},

	{name: "adoptServerSide", commands: planning, kind: toggle, fallback: "false", set: toggles(func(c *Config) *bool { return &c.AdoptServerSide }),
		usage: "take over releases that Helm 4 applied server-side, and apply them client-side from then on; without it they are refused, unless their label helmfile-agent.github.io/adopt-server-side is true"},

	{name: "allowRemote", commands: loading, kind: list, comma: true, set: lists(func(c *Config) *[]string { return &c.AllowRemote }, egress.Check),
		usage: "hosts that the repository may make the agent reach, as host, host:port, *.domain, IP address, CIDR or *: remote bases, https:// values, go-getter sources and secret stores need an entry; charts may come from every host, except loopback and link-local addresses and metadata servers, which need an entry too and which * does not cover; a metadata server needs its own IP address as the entry"},
	{name: "ownSecrets", commands: loading, kind: list, comma: true, set: lists(func(c *Config) *[]string { return &c.OwnSecrets }, isSecretName),
		usage: "Secret in the agent's namespace that holds keys of the agent; charts cannot read it with lookup, and no release may write it"},
	{name: "agentRelease", commands: loading, kind: text, set: words(func(c *Config) *string { return &c.AgentRelease }),
		usage: "Helm release in the agent's namespace that installed the agent; no release of the helmfile may write its objects"},
	{name: "selfUpgrade", commands: loading, kind: toggle, fallback: "false", set: toggles(func(c *Config) *bool { return &c.SelfUpgrade }),
		usage: "let the helmfile contain the release that installed the agent, and so upgrade it"},

	{name: "sandbox", commands: loading, kind: text, fallback: "auto",
		set:   words(func(c *Config) *string { return &c.Sandbox }, oneOf("auto", "required", "off")),
		usage: "confinement of the processes that read the helmfile and render charts, by the kernel's Landlock: auto uses what the kernel offers, required fails without all of it, off uses none"},
	{name: "templateEnv", commands: loading, kind: list, comma: true, set: lists(func(c *Config) *[]string { return &c.TemplateEnv }, isTemplateVariable),
		usage: "environment variable that the helmfile may read, in templates and by secret stores such as ref+vault"},
	{name: "loaderMemory", commands: loading, kind: text, shown: "40 % of the container's memory limit and at least 128Mi; 512Mi without a limit", set: sizes(func(c *Config) *int64 { return &c.LoaderMemory }),
		usage: "memory that the process that reads the helmfile may use together with its children, and each process that renders charts"},
	{name: "loaderTime", commands: loading, kind: duration, fallback: "2m", set: setLoaderTime,
		usage: "CPU time that the process that reads the helmfile may use"},

	{name: "sopsKeys", commands: loading, kind: text, set: paths(func(c *Config) *string { return &c.SopsKeys }),
		usage: "directory of the private keys and credentials that decrypt secrets, named as Flux names them: *.agekey, *.asc, sops.aws-kms and so on"},

	{name: "yes", kind: toggle, fallback: "false", commands: []string{Destroy}, asks: true, set: toggles(func(c *Config) *bool { return &c.Yes }),
		usage: "do not ask"},
	{name: "dryRun", kind: toggle, fallback: "false", set: toggles(func(c *Config) *bool { return &c.DryRun }),
		usage: "change nothing: run does what diff does, and destroy only lists what it would uninstall"},

	{name: "roles", kind: toggle, fallback: "false", commands: []string{Access}, asks: true, set: toggles(func(c *Config) *bool { return &c.Roles }),
		usage: "print only the Roles that grant what is missing, for kubectl apply"},

	{name: "logFormat", kind: text, fallback: "json",
		set:   words(func(c *Config) *string { return &c.LogFormat }, oneOf("text", "json")),
		usage: "format of the logs on stderr: text or json"},
	{name: "logLevel", kind: text, fallback: "info", set: setLogLevel,
		usage: "least important level that is logged: debug, info, warn or error"},
	{name: "output", kind: text, fallback: "text",
		set:   words(func(c *Config) *string { return &c.Output }, oneOf("text", "json")),
		usage: "format of the result on stdout: text or json"},
	{name: "detailedExitcode", kind: toggle, fallback: "false", commands: []string{Diff}, asks: true, set: toggles(func(c *Config) *bool { return &c.DetailedExitcode }),
		usage: "exit with 2 when there are differences"},

	{name: "gitUsername", commands: loading, kind: text, set: secrets(func(c *Config) *Secret { return &c.GitUsername }),
		usage: "user name for the repository"},
	{name: "gitPassword", commands: loading, kind: text, secret: true, set: secrets(func(c *Config) *Secret { return &c.GitPassword }),
		usage: "password or token for the repository, or passphrase of the SSH key"},
	{name: "gitPasswordFile", commands: loading, kind: text, set: paths(func(c *Config) *string { return &c.GitPasswordFile }),
		usage: "file that holds the password"},
	{name: "gitSSHKeyFile", commands: loading, kind: text, set: paths(func(c *Config) *string { return &c.GitSSHKeyFile }),
		usage: "file that holds the private SSH key"},
	{name: "gitKnownHostsFile", commands: loading, kind: text, set: paths(func(c *Config) *string { return &c.GitKnownHostsFile }),
		usage: "file of SSH host keys to trust; required for SSH"},
	{name: "gitCAFile", commands: loading, kind: text, set: paths(func(c *Config) *string { return &c.GitCAFile }),
		usage: "PEM file of certificate authorities to trust beside the system's"},
	{name: "gitAllowPlainHttp", kind: toggle, fallback: "false", commands: loading, set: toggles(func(c *Config) *bool { return &c.GitAllowPlainHTTP }),
		usage: "send the user name and password over http too, where the network can read them"},
	{name: "gitMaxFiles", kind: number, fallback: "50000", commands: loading, set: setGitMaxFiles,
		usage: "files and directories that a checkout may have"},
	{name: "gitMaxSize", kind: text, fallback: "512Mi", commands: loading, set: sizes(func(c *Config) *int64 { return &c.GitMaxSize }),
		usage: "bytes that the files of a checkout may have together, and that the download may have"},
	{name: "gitMaxFileSize", kind: text, fallback: "64Mi", commands: loading, set: sizes(func(c *Config) *int64 { return &c.GitMaxFileSize }),
		usage: "bytes that one file of the repository may have; a file is unpacked in memory"},
}

func (k key) flag() string     { return "--" + k.flagName() }
func (k key) flagName() string { return strings.ToLower(strings.Join(split(k.name), "-")) }
func (k key) variable() string {
	return variablePrefix + strings.ToUpper(strings.Join(split(k.name), "_"))
}

func (k key) appliesTo(command string) bool {
	return len(k.commands) == 0 || slices.Contains(k.commands, command)
}

// refusedBy says whether a command must not be given the key. A key that asks something of a command, such as to confirm by itself or
// to take only some of the releases, is an error for a command that would not do it. All other keys describe the installation: one file
// serves all commands, and a command that reads no repository, for instance, needs no key of the repository.
func (k key) refusedBy(command string) bool { return k.asks && !k.appliesTo(command) }

// find is the key for which match is true.
func find(match func(key) bool) (key, bool) {
	i := slices.IndexFunc(keys, match)
	if i < 0 {
		return key{}, false
	}
	return keys[i], true
}

// split cuts a camelCase name into words; a run of capitals is one word: gitSSHKeyFile is git, SSH, Key, File.
func split(name string) []string {
	var parts []string
	letters := []rune(name)
	start := 0
	for i := 1; i < len(letters); i++ {
		if !unicode.IsUpper(letters[i]) {
			continue
		}
		endsRun := i+1 < len(letters) && unicode.IsLower(letters[i+1])
		if unicode.IsLower(letters[i-1]) || endsRun {
			parts = append(parts, string(letters[start:i]))
			start = i
		}
	}
	return append(parts, string(letters[start:]))
}
