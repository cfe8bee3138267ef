package config

import (
	"log/slog"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Config is the configuration of a run. The comment of each field begins with the key of the setting in the file.
type Config struct {
	File string // config: the YAML file that was read; empty without a file

	Repo string // repo: the repository to clone, without credentials
	Ref  string // ref: branch, tag, full ref or commit; empty means the remote's HEAD
	Path string // path: the helmfile, or its directory, relative to the checkout; empty means the files that helmfile looks for
	Dir  string // dir: a local checkout that diff and access use instead of Repo; then Repo and Ref are empty

	Environment     string   // environment: helmfile's environment
	StateValuesSet  []string // stateValuesSet: one key=value each
	StateValuesFile []string // stateValuesFile: relative to the state file, as in helmfile
	Selector        []string // selector: one helmfile --selector each

	Instance    string        // instance: the owner of the releases; part of labels and object names
	Namespace   string        // namespace: that of the agent; empty means the namespace of the kubeconfig's context
	Kubeconfig  string        // kubeconfig: a path; empty means the pod's service account, or the same file as kubectl
	Context     string        // context: a context in the kubeconfig; empty means the current one
	Timeout     time.Duration // timeout: of the whole run; always positive
	Concurrency int           // concurrency: the number of releases to work on at the same time, 1 to 64

	Prune         string        // prune: two-step, report or off
	PruneGrace    time.Duration // pruneGrace: the minimum time between the mark and the pruning; with 0 the next run prunes
	PruneMaxShare int           // pruneMaxShare: the percentage of all releases that one run may prune, 0 to 100
	PruneAllow    string        // pruneAllow: the commit, or its first digits, for which the guards allow all prunes

	Drift       string               // drift: correct, warn or off
	DriftIgnore []release.IgnoreRule // driftIgnore: fields of live objects that are not compared

	AdoptServerSide bool // adoptServerSide: take over releases that Helm 4 applied on the server side

	AllowRemote []string // allowRemote: hosts that the repository may make the agent connect to; see package egress
	OwnSecrets  []string // ownSecrets: Secrets in the agent's namespace that charts must not look up

	AgentRelease string // agentRelease: the Helm release in the agent's namespace that installed the agent
	SelfUpgrade  bool   // selfUpgrade: the helmfile may contain that release

	Sandbox      string        // sandbox: auto, required or off
	TemplateEnv  []string      // templateEnv: names of environment variables that the helmfile may read
	LoaderMemory int64         // loaderMemory: the maximum bytes of the process that reads the helmfile, and of each process that renders charts
	LoaderTime   time.Duration // loaderTime: the maximum CPU time of the process that reads the helmfile; always positive

	SopsKeys string // sopsKeys: a directory of private keys and credentials for sops

	Yes    bool // yes: destroy skips the confirmation
	DryRun bool // dryRun: run and destroy only list what they would do

	Roles bool // roles: access prints only Roles, for kubectl apply

	LogFormat        string     // logFormat: text or json
	LogLevel         slog.Level // logLevel
	Output           string     // output: text or json
	DetailedExitcode bool       // detailedExitcode: diff exits with 2 if there are differences

	GitUsername       Secret // gitUsername: secret, because it may be a token
	GitPassword       Secret // gitPassword, or the content of gitPasswordFile, or the password in the URL of repo
	GitPasswordFile   string // gitPasswordFile: GitPassword already has its content
	GitSSHKeyFile     string // gitSSHKeyFile: a private key; GitPassword decrypts it if it is encrypted
	GitKnownHostsFile string // gitKnownHostsFile: without it the agent trusts no SSH host
	GitCAFile         string // gitCAFile: certificate authorities to trust in addition to those of the system
	GitAllowPlainHTTP bool   // gitAllowPlainHttp: the agent may send credentials over http

	GitMaxFiles    int   // gitMaxFiles: the maximum number of files and directories of the checkout
	GitMaxSize     int64 // gitMaxSize: the maximum bytes of the checkout, and of the download
	GitMaxFileSize int64 // gitMaxFileSize: the maximum bytes of one file
}
