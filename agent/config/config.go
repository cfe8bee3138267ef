package config

import (
	"log/slog"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Config is what a run was told. Every field stands beside its key's name in the file; flag and variable derive from it.
type Config struct {
	File string // config: the YAML file that was read; empty when there is none

	Repo string // repo: where to clone from, without credentials
	Ref  string // ref: branch, tag, full ref or commit; empty means the remote's HEAD
	Path string // path: the helmfile, or its directory, relative to the checkout; empty means helmfile's own search
	Dir  string // dir: a local checkout that diff and access read instead of Repo; then Repo and Ref are empty

	Environment     string   // environment: helmfile's environment
	StateValuesSet  []string // stateValuesSet: one key=value each
	StateValuesFile []string // stateValuesFile: relative to the state file, as in helmfile
	Selector        []string // selector: one helmfile --selector each

	Instance    string        // instance: whose releases these are; part of labels and object names
	Namespace   string        // namespace: the agent's own; empty means that the kubeconfig's context decides
	Kubeconfig  string        // kubeconfig: a path; empty means the pod's service account or the usual search
	Context     string        // context: of the kubeconfig; empty means its current one
	Timeout     time.Duration // timeout: of the whole run; always positive
	Concurrency int           // concurrency: releases worked on at a time, 1 to 64

	Prune         string        // prune: two-step, report or off
	PruneGrace    time.Duration // pruneGrace: from the mark to the pruning; 0 prunes with the next run
	PruneMaxShare int           // pruneMaxShare: percent of all releases that one run may prune, 0 to 100
	PruneAllow    string        // pruneAllow: the commit, or its first digits, whose prunes the guards let through

	Drift       string               // drift: correct, warn or off
	DriftIgnore []release.IgnoreRule // driftIgnore: fields of live objects that may differ

	AdoptServerSide bool // adoptServerSide: take over releases that Helm 4 applied server-side

	AllowRemote []string // allowRemote: hosts that the repository may make the agent reach; see package egress
	OwnSecrets  []string // ownSecrets: Secrets in the agent's namespace that charts must not look up

	AgentRelease string // agentRelease: the Helm release in the agent's namespace that installed the agent
	SelfUpgrade  bool   // selfUpgrade: the helmfile may contain that release

	Sandbox      string        // sandbox: auto, required or off
	TemplateEnv  []string      // templateEnv: names of environment variables that the helmfile may read
	LoaderMemory int64         // loaderMemory: bytes that the process that reads the helmfile may use, and each that renders charts
	LoaderTime   time.Duration // loaderTime: CPU time that it may use; always positive

	SopsKeys string // sopsKeys: a directory of private keys and credentials for sops

	Yes    bool // yes: destroy does not ask
	DryRun bool // dryRun: run and destroy only show what they would do

	Roles bool // roles: access prints only what kubectl apply takes

	LogFormat        string     // logFormat: text or json
	LogLevel         slog.Level // logLevel
	Output           string     // output: text or json
	DetailedExitcode bool       // detailedExitcode: diff exits with 2 when there are differences

	GitUsername       Secret // gitUsername: may be a token, so it is treated as one
	GitPassword       Secret // gitPassword, or the content of gitPasswordFile, or what the repo's URL held
	GitPasswordFile   string // gitPasswordFile: read already, into GitPassword
	GitSSHKeyFile     string // gitSSHKeyFile: a private key; GitPassword opens it if it is encrypted
	GitKnownHostsFile string // gitKnownHostsFile: without it no SSH host is trusted
	GitCAFile         string // gitCAFile: certificate authorities trusted beside the system's
	GitAllowPlainHTTP bool   // gitAllowPlainHttp: credentials may be sent over http

	GitMaxFiles    int   // gitMaxFiles: files and directories of the checkout
	GitMaxSize     int64 // gitMaxSize: bytes of the checkout, and of the download
	GitMaxFileSize int64 // gitMaxFileSize: bytes of one file
}
