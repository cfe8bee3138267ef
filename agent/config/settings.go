package config

import (
	"github.com/helmfile-agent/helmfile-agent/agent/config/internal/settings"
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
	// readingRepository are the commands that read a repository.
	readingRepository = []string{Run, Diff, Access}
	// readingDirectory are the commands that can read a local checkout instead.
	readingDirectory = []string{Diff, Access}
	// planning are the commands that make a plan.
	planning = []string{Run, Diff}
)

// setting is a setting with the function that checks its values and stores them in a Config.
type setting struct {
	settings.Setting
	store func(*Config, []string) error
}

// allSettings are all settings, in the order of the documentation.
var allSettings = []setting{
	{settings.Setting{Name: "config", Kind: settings.Text, NotInFile: true,
		Usage: "YAML file with any of these settings"},
		storeText(func(c *Config) *string { return &c.File })},

	{settings.Setting{Name: "repo", Commands: readingRepository, Kind: settings.Text,
		Usage: "repository to clone: a URL (https, http, ssh, git or file), git@host:path, or an absolute path"},
		storeText(func(c *Config) *string { return &c.Repo }, isRepository)},
	{settings.Setting{Name: "ref", Commands: readingRepository, Kind: settings.Text, DefaultInWords: "the remote's HEAD",
		Usage: "branch, tag, full ref or commit; if a branch and a tag have the same name, the branch is used"},
		storeText(func(c *Config) *string { return &c.Ref }, isRef)},
	{settings.Setting{Name: "path", Commands: readingRepository, Kind: settings.Text, DefaultInWords: "the files that helmfile looks for",
		Usage: "helmfile or directory of helmfiles, relative to the root of the repository"},
		storeHelmfilePath},
	{settings.Setting{Name: "dir", Kind: settings.Text, Commands: readingDirectory, OnlyForCommands: true,
		Usage: "local checkout to use instead of repo and ref"},
		storeFilePath(func(c *Config) *string { return &c.Dir })},

	{settings.Setting{Name: "environment", Commands: readingRepository, Kind: settings.Text, Default: "default",
		Usage: "helmfile environment"},
		storeText(func(c *Config) *string { return &c.Environment }, notEmpty)},
	{settings.Setting{Name: "stateValuesSet", Commands: readingRepository, Kind: settings.List, CommaSeparated: true,
		Usage: "state value as key=value, like helmfile's --state-values-set"},
		storeStateValues},
	{settings.Setting{Name: "stateValuesFile", Commands: readingRepository, Kind: settings.List, CommaSeparated: true,
		Usage: "file of state values, relative to the state file, like helmfile's --state-values-file"},
		storeList(func(c *Config) *[]string { return &c.StateValuesFile }, staysInside)},
	{settings.Setting{Name: "selector", Commands: readingRepository, OnlyForCommands: true, Kind: settings.List,
		Usage: "use only releases with these labels, like helmfile's --selector; a release must match one of several selectors"},
		storeList(func(c *Config) *[]string { return &c.Selector }, isSelector)},

	{settings.Setting{Name: "instance", Kind: settings.Text, Default: "helmfile-agent",
		Usage: "name of this installation, which owns the releases; two instances in one namespace need different names"},
		storeText(func(c *Config) *string { return &c.Instance }, isInstance)},
	{settings.Setting{Name: "namespace", Kind: settings.Text, DefaultInWords: "the namespace of the pod, otherwise that of the kubeconfig's context",
		Usage: "namespace of the agent"},
		storeText(func(c *Config) *string { return &c.Namespace }, isNamespace)},
	{settings.Setting{Name: "kubeconfig", Kind: settings.Text, DefaultInWords: "the service account of the pod, otherwise the same file as kubectl",
		Usage: "kubeconfig file"},
		storeFilePath(func(c *Config) *string { return &c.Kubeconfig })},
	{settings.Setting{Name: "context", Kind: settings.Text, DefaultInWords: "the current context",
		Usage: "context in the kubeconfig"},
		storeText(func(c *Config) *string { return &c.Context })},
	{settings.Setting{Name: "timeout", Kind: settings.Duration, Default: "10m",
		Usage: "maximum duration of the whole run, such as 90s, 10m or 1h30m"},
		storeTimeout},
	{settings.Setting{Name: "concurrency", Kind: settings.Number, Default: "4",
		Usage: "number of releases that the agent works on at the same time, 1 to 64"},
		storeConcurrency},

	{settings.Setting{Name: "prune", Commands: planning, Kind: settings.Text, Default: "two-step",
		Usage: "what to do with releases that are no longer declared: two-step marks them and a later run uninstalls them, report and off only report them"},
		storeText(func(c *Config) *string { return &c.Prune }, oneOf("two-step", "report", "off"))},
	{settings.Setting{Name: "pruneGrace", Commands: planning, Kind: settings.Duration, Default: "0s",
		Usage: "minimum time between the mark and the uninstall; with 0 the next run uninstalls"},
		storePruneGrace},
	{settings.Setting{Name: "pruneMaxShare", Commands: planning, Kind: settings.Text, Default: "50%",
		Usage: "maximum share of all releases that one run may prune"},
		storePruneMaxShare},
	{settings.Setting{Name: "pruneAllow", Commands: planning, Kind: settings.Text,
		Usage: "commit that may prune although too many releases would be pruned, no release is declared, or the origin has changed"},
		storeText(func(c *Config) *string { return &c.PruneAllow }, isCommit)},

	{settings.Setting{Name: "drift", Commands: readingRepository, Kind: settings.Text, Default: "correct",
		Usage: "what to do when live objects are not as declared: correct changes them, warn reports them, off does not compare them"},
		storeText(func(c *Config) *string { return &c.Drift }, oneOf("correct", "warn", "off"))},
	{settings.Setting{Name: "driftIgnore", Commands: planning, Kind: settings.List,
		Usage: "fields to ignore when live objects are compared, as KIND[.GROUP][/[NAMESPACE/]NAME]:JSON-POINTER[,JSON-POINTER], such as Deployment.apps/web:/spec/replicas"},
		storeDriftIgnore},

	{settings.Setting{Name: "adoptServerSide", Commands: planning, Kind: settings.Toggle, Default: "false",
		Usage: "take over releases that Helm 4 applied on the server side, and apply them on the client side from then on; without it the agent refuses them, unless the label helmfile-agent.github.io/adopt-server-side of the release is true"},
		storeBool(func(c *Config) *bool { return &c.AdoptServerSide })},

	{settings.Setting{Name: "allowRemote", Commands: readingRepository, Kind: settings.List, CommaSeparated: true,
		Usage: "host that the repository may make the agent connect to, as host, host:port, *.domain, IP address, CIDR or *; needed for remote bases, https:// values, go-getter sources and secret stores; charts may come from every host, but loopback addresses, link-local addresses and metadata servers always need an entry; the entry * does not include these, and the entry for a metadata server must be its IP address"},
		storeList(func(c *Config) *[]string { return &c.AllowRemote }, egress.Check)},
	{settings.Setting{Name: "ownSecrets", Commands: readingRepository, Kind: settings.List, CommaSeparated: true,
		Usage: "Secret in the agent's namespace that contains keys of the agent; charts cannot read it with lookup, and no release may write it"},
		storeList(func(c *Config) *[]string { return &c.OwnSecrets }, isSecretName)},
	{settings.Setting{Name: "agentRelease", Commands: readingRepository, Kind: settings.Text,
		Usage: "Helm release in the agent's namespace that installed the agent; no release of the helmfile may write its objects"},
		storeText(func(c *Config) *string { return &c.AgentRelease })},
	{settings.Setting{Name: "selfUpgrade", Commands: readingRepository, Kind: settings.Toggle, Default: "false",
		Usage: "allow the helmfile to contain the release that installed the agent, so that the agent upgrades itself"},
		storeBool(func(c *Config) *bool { return &c.SelfUpgrade })},

	{settings.Setting{Name: "sandbox", Commands: readingRepository, Kind: settings.Text, Default: "auto",
		Usage: "how Landlock in the kernel confines the processes that read the helmfile and render charts: auto uses the protections that the kernel has, required fails if one is missing, off uses none"},
		storeText(func(c *Config) *string { return &c.Sandbox }, oneOf("auto", "required", "off"))},
	{settings.Setting{Name: "templateEnv", Commands: readingRepository, Kind: settings.List, CommaSeparated: true,
		Usage: "environment variable that the helmfile may read, in templates and by secret stores such as ref+vault"},
		storeList(func(c *Config) *[]string { return &c.TemplateEnv }, isTemplateVariable)},
	{settings.Setting{Name: "loaderMemory", Commands: readingRepository, Kind: settings.Text, DefaultInWords: "40 % of the container's memory limit, but at least 128Mi; 512Mi without a limit",
		Usage: "maximum memory of the process that reads the helmfile together with its children, and of each process that renders charts"},
		storeSize(func(c *Config) *int64 { return &c.LoaderMemory })},
	{settings.Setting{Name: "loaderTime", Commands: readingRepository, Kind: settings.Duration, Default: "2m",
		Usage: "maximum CPU time of the process that reads the helmfile"},
		storeLoaderTime},

	{settings.Setting{Name: "sopsKeys", Commands: readingRepository, Kind: settings.Text,
		Usage: "directory with the private keys and credentials that decrypt secrets, with the same file names as in Flux: *.agekey, *.asc, sops.aws-kms and so on"},
		storeFilePath(func(c *Config) *string { return &c.SopsKeys })},

	{settings.Setting{Name: "yes", Kind: settings.Toggle, Default: "false", Commands: []string{Destroy}, OnlyForCommands: true,
		Usage: "skip the confirmation"},
		storeBool(func(c *Config) *bool { return &c.Yes })},
	{settings.Setting{Name: "dryRun", Kind: settings.Toggle, Default: "false",
		Usage: "change nothing: run does the same as diff, and destroy lists what it would uninstall"},
		storeBool(func(c *Config) *bool { return &c.DryRun })},

	{settings.Setting{Name: "roles", Kind: settings.Toggle, Default: "false", Commands: []string{Access}, OnlyForCommands: true,
		Usage: "print only the Roles that grant the missing rights, for kubectl apply"},
		storeBool(func(c *Config) *bool { return &c.Roles })},

	{settings.Setting{Name: "logFormat", Kind: settings.Text, Default: "json",
		Usage: "format of the logs on stderr: text or json"},
		storeText(func(c *Config) *string { return &c.LogFormat }, oneOf("text", "json"))},
	{settings.Setting{Name: "logLevel", Kind: settings.Text, Default: "info",
		Usage: "lowest level that is logged: debug, info, warn or error"},
		storeLogLevel},
	{settings.Setting{Name: "output", Kind: settings.Text, Default: "text",
		Usage: "format of the result on stdout: text or json"},
		storeText(func(c *Config) *string { return &c.Output }, oneOf("text", "json"))},
	{settings.Setting{Name: "detailedExitcode", Kind: settings.Toggle, Default: "false", Commands: []string{Diff}, OnlyForCommands: true,
		Usage: "exit with 2 if there are differences"},
		storeBool(func(c *Config) *bool { return &c.DetailedExitcode })},

	{settings.Setting{Name: "gitUsername", Commands: readingRepository, Kind: settings.Text,
		Usage: "user name for the repository"},
		storeSecret(func(c *Config) *Secret { return &c.GitUsername })},
	{settings.Setting{Name: "gitPassword", Commands: readingRepository, Kind: settings.Text, Secret: true,
		Usage: "password or token for the repository, or passphrase of the SSH key"},
		storeSecret(func(c *Config) *Secret { return &c.GitPassword })},
	{settings.Setting{Name: "gitPasswordFile", Commands: readingRepository, Kind: settings.Text,
		Usage: "file that contains the password"},
		storeFilePath(func(c *Config) *string { return &c.GitPasswordFile })},
	{settings.Setting{Name: "gitSSHKeyFile", Commands: readingRepository, Kind: settings.Text,
		Usage: "file that contains the private SSH key"},
		storeFilePath(func(c *Config) *string { return &c.GitSSHKeyFile })},
	{settings.Setting{Name: "gitKnownHostsFile", Commands: readingRepository, Kind: settings.Text,
		Usage: "known_hosts file with the SSH host keys to trust; required for SSH"},
		storeFilePath(func(c *Config) *string { return &c.GitKnownHostsFile })},
	{settings.Setting{Name: "gitCAFile", Commands: readingRepository, Kind: settings.Text,
		Usage: "PEM file with certificate authorities to trust in addition to those of the system"},
		storeFilePath(func(c *Config) *string { return &c.GitCAFile })},
	{settings.Setting{Name: "gitAllowPlainHttp", Kind: settings.Toggle, Default: "false", Commands: readingRepository,
		Usage: "send the user name and password also over http, where others on the network can read them"},
		storeBool(func(c *Config) *bool { return &c.GitAllowPlainHTTP })},
	{settings.Setting{Name: "gitMaxFiles", Kind: settings.Number, Default: "50000", Commands: readingRepository,
		Usage: "maximum number of files and directories of the checkout"},
		storeGitMaxFiles},
	{settings.Setting{Name: "gitMaxSize", Kind: settings.Text, Default: "512Mi", Commands: readingRepository,
		Usage: "maximum size of all files of the checkout together, and of the download"},
		storeSize(func(c *Config) *int64 { return &c.GitMaxSize })},
	{settings.Setting{Name: "gitMaxFileSize", Kind: settings.Text, Default: "64Mi", Commands: readingRepository,
		Usage: "maximum size of one file of the repository; the agent unpacks each file in memory"},
		storeSize(func(c *Config) *int64 { return &c.GitMaxFileSize })},
}

// described is the same table without the functions.
var described = func() (table settings.Table) {
	for _, s := range allSettings {
		table = append(table, s.Setting)
	}
	return table
}()

// Reference is the table of all settings in Markdown, for the documentation.
func Reference() string { return described.Reference() }

// store checks the values of an entry and stores them in the configuration.
func store(c *Config, e settings.Entry) error {
	for _, s := range allSettings {
		if s.Name == e.Name {
			return s.store(c, e.Values)
		}
	}
	return nil
}
