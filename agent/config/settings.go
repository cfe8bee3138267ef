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
		Usage: "YAML file with any of these keys"},
		storeText(func(c *Config) *string { return &c.File })},

	{settings.Setting{Name: "repo", Commands: readingRepository, Kind: settings.Text,
		Usage: "repository to clone: a URL (https, http, ssh, git, file), git@host:path or an absolute path"},
		storeText(func(c *Config) *string { return &c.Repo }, isRepository)},
	{settings.Setting{Name: "ref", Commands: readingRepository, Kind: settings.Text, DefaultInWords: "the remote's HEAD",
		Usage: "branch, tag, full ref or commit; a branch wins over a tag of the same name"},
		storeText(func(c *Config) *string { return &c.Ref }, isRef)},
	{settings.Setting{Name: "path", Commands: readingRepository, Kind: settings.Text, DefaultInWords: "helmfile's own search",
		Usage: "helmfile or directory of helmfiles, relative to the checkout"},
		storeHelmfilePath},
	{settings.Setting{Name: "dir", Kind: settings.Text, Commands: readingDirectory, OnlyForCommands: true,
		Usage: "local checkout to read instead of repo and ref"},
		storeFilePath(func(c *Config) *string { return &c.Dir })},

	{settings.Setting{Name: "environment", Commands: readingRepository, Kind: settings.Text, Default: "default",
		Usage: "helmfile environment"},
		storeText(func(c *Config) *string { return &c.Environment }, notEmpty)},
	{settings.Setting{Name: "stateValuesSet", Commands: readingRepository, Kind: settings.List, CommaSeparated: true,
		Usage: "key=value for helmfile's state values, like helmfile's --state-values-set"},
		storeStateValues},
	{settings.Setting{Name: "stateValuesFile", Commands: readingRepository, Kind: settings.List, CommaSeparated: true,
		Usage: "file of state values, relative to the state file, like helmfile's --state-values-file"},
		storeList(func(c *Config) *[]string { return &c.StateValuesFile }, staysInside)},
	{settings.Setting{Name: "selector", Commands: readingRepository, OnlyForCommands: true, Kind: settings.List,
		Usage: "only releases with these labels, like helmfile's --selector; several are alternatives"},
		storeList(func(c *Config) *[]string { return &c.Selector }, isSelector)},

	{settings.Setting{Name: "instance", Kind: settings.Text, Default: "helmfile-agent",
		Usage: "owner of the releases; two agents in one namespace need two names"},
		storeText(func(c *Config) *string { return &c.Instance }, isInstance)},
	{settings.Setting{Name: "namespace", Kind: settings.Text, DefaultInWords: "the pod's, else the kubeconfig context's",
		Usage: "namespace of the agent itself"},
		storeText(func(c *Config) *string { return &c.Namespace }, isNamespace)},
	{settings.Setting{Name: "kubeconfig", Kind: settings.Text, DefaultInWords: "the pod's service account, else the usual search",
		Usage: "kubeconfig file"},
		storeFilePath(func(c *Config) *string { return &c.Kubeconfig })},
	{settings.Setting{Name: "context", Kind: settings.Text, DefaultInWords: "the current one",
		Usage: "context of the kubeconfig"},
		storeText(func(c *Config) *string { return &c.Context })},
	{settings.Setting{Name: "timeout", Kind: settings.Duration, Default: "10m",
		Usage: "time the whole run may take, such as 90s, 10m or 1h30m"},
		storeTimeout},
	{settings.Setting{Name: "concurrency", Kind: settings.Number, Default: "4",
		Usage: "releases worked on at a time, 1 to 64"},
		storeConcurrency},

	{settings.Setting{Name: "prune", Commands: planning, Kind: settings.Text, Default: "two-step",
		Usage: "what becomes of releases that are no longer declared: two-step marks and later uninstalls them, report and off leave them"},
		storeText(func(c *Config) *string { return &c.Prune }, oneOf("two-step", "report", "off"))},
	{settings.Setting{Name: "pruneGrace", Commands: planning, Kind: settings.Duration, Default: "0s",
		Usage: "time from the mark to the uninstall; 0 uninstalls with the next run"},
		storePruneGrace},
	{settings.Setting{Name: "pruneMaxShare", Commands: planning, Kind: settings.Text, Default: "50%",
		Usage: "share of all releases that one run may prune"},
		storePruneMaxShare},
	{settings.Setting{Name: "pruneAllow", Commands: planning, Kind: settings.Text,
		Usage: "commit whose prunes are let through although they are too many, or nothing is declared, or the origin changed"},
		storeText(func(c *Config) *string { return &c.PruneAllow }, isCommit)},

	{settings.Setting{Name: "drift", Commands: readingRepository, Kind: settings.Text, Default: "correct",
		Usage: "what becomes of live objects that are not as declared: correct makes them so, warn reports them, off does not look"},
		storeText(func(c *Config) *string { return &c.Drift }, oneOf("correct", "warn", "off"))},
	{settings.Setting{Name: "driftIgnore", Commands: planning, Kind: settings.List,
		Usage: "fields that may differ, as KIND[.GROUP][/[NAMESPACE/]NAME]:JSON-POINTER[,JSON-POINTER], such as Deployment.apps/web:/spec/replicas"},
		storeDriftIgnore},

	{settings.Setting{Name: "adoptServerSide", Commands: planning, Kind: settings.Toggle, Default: "false",
		Usage: "take over releases that Helm 4 applied server-side, and apply them client-side from then on; without it they are refused, unless their label helmfile-agent.github.io/adopt-server-side is true"},
		storeBool(func(c *Config) *bool { return &c.AdoptServerSide })},

	{settings.Setting{Name: "allowRemote", Commands: readingRepository, Kind: settings.List, CommaSeparated: true,
		Usage: "hosts that the repository may make the agent reach, as host, host:port, *.domain, IP address, CIDR or *: remote bases, https:// values, go-getter sources and secret stores need an entry; charts may come from every host, except loopback and link-local addresses and metadata servers, which need an entry too and which * does not cover; a metadata server needs its own IP address as the entry"},
		storeList(func(c *Config) *[]string { return &c.AllowRemote }, egress.Check)},
	{settings.Setting{Name: "ownSecrets", Commands: readingRepository, Kind: settings.List, CommaSeparated: true,
		Usage: "Secret in the agent's namespace that holds keys of the agent; charts cannot read it with lookup, and no release may write it"},
		storeList(func(c *Config) *[]string { return &c.OwnSecrets }, isSecretName)},
	{settings.Setting{Name: "agentRelease", Commands: readingRepository, Kind: settings.Text,
		Usage: "Helm release in the agent's namespace that installed the agent; no release of the helmfile may write its objects"},
		storeText(func(c *Config) *string { return &c.AgentRelease })},
	{settings.Setting{Name: "selfUpgrade", Commands: readingRepository, Kind: settings.Toggle, Default: "false",
		Usage: "let the helmfile contain the release that installed the agent, and so upgrade it"},
		storeBool(func(c *Config) *bool { return &c.SelfUpgrade })},

	{settings.Setting{Name: "sandbox", Commands: readingRepository, Kind: settings.Text, Default: "auto",
		Usage: "confinement of the processes that read the helmfile and render charts, by the kernel's Landlock: auto uses what the kernel offers, required fails without all of it, off uses none"},
		storeText(func(c *Config) *string { return &c.Sandbox }, oneOf("auto", "required", "off"))},
	{settings.Setting{Name: "templateEnv", Commands: readingRepository, Kind: settings.List, CommaSeparated: true,
		Usage: "environment variable that the helmfile may read, in templates and by secret stores such as ref+vault"},
		storeList(func(c *Config) *[]string { return &c.TemplateEnv }, isTemplateVariable)},
	{settings.Setting{Name: "loaderMemory", Commands: readingRepository, Kind: settings.Text, DefaultInWords: "40 % of the container's memory limit and at least 128Mi; 512Mi without a limit",
		Usage: "memory that the process that reads the helmfile may use together with its children, and each process that renders charts"},
		storeSize(func(c *Config) *int64 { return &c.LoaderMemory })},
	{settings.Setting{Name: "loaderTime", Commands: readingRepository, Kind: settings.Duration, Default: "2m",
		Usage: "CPU time that the process that reads the helmfile may use"},
		storeLoaderTime},

	{settings.Setting{Name: "sopsKeys", Commands: readingRepository, Kind: settings.Text,
		Usage: "directory of the private keys and credentials that decrypt secrets, named as Flux names them: *.agekey, *.asc, sops.aws-kms and so on"},
		storeFilePath(func(c *Config) *string { return &c.SopsKeys })},

	{settings.Setting{Name: "yes", Kind: settings.Toggle, Default: "false", Commands: []string{Destroy}, OnlyForCommands: true,
		Usage: "do not ask"},
		storeBool(func(c *Config) *bool { return &c.Yes })},
	{settings.Setting{Name: "dryRun", Kind: settings.Toggle, Default: "false",
		Usage: "change nothing: run does what diff does, and destroy only lists what it would uninstall"},
		storeBool(func(c *Config) *bool { return &c.DryRun })},

	{settings.Setting{Name: "roles", Kind: settings.Toggle, Default: "false", Commands: []string{Access}, OnlyForCommands: true,
		Usage: "print only the Roles that grant what is missing, for kubectl apply"},
		storeBool(func(c *Config) *bool { return &c.Roles })},

	{settings.Setting{Name: "logFormat", Kind: settings.Text, Default: "json",
		Usage: "format of the logs on stderr: text or json"},
		storeText(func(c *Config) *string { return &c.LogFormat }, oneOf("text", "json"))},
	{settings.Setting{Name: "logLevel", Kind: settings.Text, Default: "info",
		Usage: "least important level that is logged: debug, info, warn or error"},
		storeLogLevel},
	{settings.Setting{Name: "output", Kind: settings.Text, Default: "text",
		Usage: "format of the result on stdout: text or json"},
		storeText(func(c *Config) *string { return &c.Output }, oneOf("text", "json"))},
	{settings.Setting{Name: "detailedExitcode", Kind: settings.Toggle, Default: "false", Commands: []string{Diff}, OnlyForCommands: true,
		Usage: "exit with 2 when there are differences"},
		storeBool(func(c *Config) *bool { return &c.DetailedExitcode })},

	{settings.Setting{Name: "gitUsername", Commands: readingRepository, Kind: settings.Text,
		Usage: "user name for the repository"},
		storeSecret(func(c *Config) *Secret { return &c.GitUsername })},
	{settings.Setting{Name: "gitPassword", Commands: readingRepository, Kind: settings.Text, Secret: true,
		Usage: "password or token for the repository, or passphrase of the SSH key"},
		storeSecret(func(c *Config) *Secret { return &c.GitPassword })},
	{settings.Setting{Name: "gitPasswordFile", Commands: readingRepository, Kind: settings.Text,
		Usage: "file that holds the password"},
		storeFilePath(func(c *Config) *string { return &c.GitPasswordFile })},
	{settings.Setting{Name: "gitSSHKeyFile", Commands: readingRepository, Kind: settings.Text,
		Usage: "file that holds the private SSH key"},
		storeFilePath(func(c *Config) *string { return &c.GitSSHKeyFile })},
	{settings.Setting{Name: "gitKnownHostsFile", Commands: readingRepository, Kind: settings.Text,
		Usage: "file of SSH host keys to trust; required for SSH"},
		storeFilePath(func(c *Config) *string { return &c.GitKnownHostsFile })},
	{settings.Setting{Name: "gitCAFile", Commands: readingRepository, Kind: settings.Text,
		Usage: "PEM file of certificate authorities to trust beside the system's"},
		storeFilePath(func(c *Config) *string { return &c.GitCAFile })},
	{settings.Setting{Name: "gitAllowPlainHttp", Kind: settings.Toggle, Default: "false", Commands: readingRepository,
		Usage: "send the user name and password over http too, where the network can read them"},
		storeBool(func(c *Config) *bool { return &c.GitAllowPlainHTTP })},
	{settings.Setting{Name: "gitMaxFiles", Kind: settings.Number, Default: "50000", Commands: readingRepository,
		Usage: "files and directories that a checkout may have"},
		storeGitMaxFiles},
	{settings.Setting{Name: "gitMaxSize", Kind: settings.Text, Default: "512Mi", Commands: readingRepository,
		Usage: "bytes that the files of a checkout may have together, and that the download may have"},
		storeSize(func(c *Config) *int64 { return &c.GitMaxSize })},
	{settings.Setting{Name: "gitMaxFileSize", Kind: settings.Text, Default: "64Mi", Commands: readingRepository,
		Usage: "bytes that one file of the repository may have; a file is unpacked in memory"},
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
