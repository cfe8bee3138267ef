// Package release holds the types that many packages share: a release as it is declared, observed and rendered. It contains no
// decisions.
//
// It imports no other package of the agent.
package release

import (
	"cmp"
	"time"
)

// Key identifies a release: its name is unique in its namespace. Both parts are always set.
type Key struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns "namespace/name". helmfile uses the same form in `needs`.
func (k Key) String() string { return k.Namespace + "/" + k.Name }

// Compare orders keys by namespace, then name.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Namespace, other.Namespace), cmp.Compare(k.Name, other.Name))
}

// DesiredState says whether a declared release should be installed.
type DesiredState string

// The desired states.
const (
	Installed  DesiredState = "installed"
	Absent     DesiredState = "absent"     // `installed: false`
	Disabled   DesiredState = "disabled"   // its `condition` is false: neither installed nor uninstalled
	Unselected DesiredState = "unselected" // left out by --selector: neither installed nor uninstalled
)

// Desired is one release as the helmfile declares it. All its values are merged, and all its flags are resolved.
type Desired struct {
	Key
	State DesiredState

	// File is the state file that declares the release, relative to the checkout.
	File string
	// Stage is the position of File in helmfile's order. helmfile works through state files one after another:
	// nested ones first, those of a directory by name.
	Stage int
	// Needs are the releases of the same state file that must be installed first.
	Needs []Key
	// Labels are helmfile's labels. helmfile adds name, namespace and chart.
	Labels map[string]string

	Chart   Chart
	Values  map[string]any
	Options Options

	// AdoptServerSide says that a release may be upgraded although a Helm 4 client applied its newest revision server-side.
	AdoptServerSide bool

	// Broken is set when helmfile could not prepare this release, for example because a patch does not apply, but could
	// prepare others. Chart, Values and Options are incomplete then.
	Broken error
}

// Chart says where to get a chart. It has a Path or a Ref, not both.
type Chart struct {
	// Name is the chart as the helmfile spells it. It is for messages.
	Name string
	// Path is the absolute directory or archive of a local chart.
	Path string
	// Ref is "oci://host/path/name[@digest]", an "https://…tgz" URL, or the name of the chart in Repository.
	Ref string
	// Repository contains Ref. It is nil for local charts, URLs, and registries without configuration.
	Repository *Repository
	// Version is a version or a constraint; empty means the latest stable version.
	Version string

	Devel                 bool
	Verify                bool
	Keyring               string // path of the keyring that Verify uses; empty means Helm's default
	PlainHTTP             bool
	InsecureSkipTLSVerify bool
	SkipDependencies      bool // do not build the dependencies of a local chart
}

// Repository is one entry of helmfile's `repositories:`.
type Repository struct {
	Name, URL                 string
	OCI                       bool
	Username, Password        string
	CAFile, CertFile, KeyFile string // paths
	PassCredentials           bool
	InsecureSkipTLSVerify     bool
	PlainHTTP                 bool
}

// Options are the options to install, upgrade and uninstall a release. The names are those of Helm.
type Options struct {
	Atomic                   bool
	CleanupOnFail            bool
	CreateNamespace          bool
	Description              string
	DisableHooks             bool
	DisableOpenAPIValidation bool
	EnableDNS                bool
	Force                    bool
	HistoryMax               int // revisions kept; 0 keeps all
	Labels                   map[string]string
	RecreatePods             bool
	ReinstallIfForbidden     bool // helmfile's updateStrategy
	ReuseValues              bool
	ResetThenReuseValues     bool
	SkipCRDs                 bool
	SkipSchemaValidation     bool
	SubNotes                 bool
	TakeOwnership            bool
	Timeout                  time.Duration // for one Kubernetes operation; 0 means Helm's default of 5 minutes
	Wait                     bool
	WaitForJobs              bool

	DeleteWait    bool
	DeleteTimeout time.Duration // 0 means Helm's default of 5 minutes
	Cascade       string        // background, foreground or orphan; empty means background
}

// Observed is the newest revision of a release in Helm's storage.
type Observed struct {
	Key
	Revision int
	Status   string // Helm's status: deployed, failed, pending-upgrade, …
	Updated  time.Time
	// Uninstalling is when a Helm client began to uninstall the release; zero when none did.
	Uninstalling time.Time
	// Run is the run of this agent that wrote the revision as it is; zero when another Helm client did.
	Run Run
	// Operation is what the revision records and what did not end: it is pending, or the run that wrote it was stopped.
	Operation Operation
	Chart     ChartVersion
	Values    map[string]any // as given by the user, without the chart's defaults
	Manifest  Manifest
	// Digest is the digest of the stored manifest and hooks, see [Record].
	Digest string
	// Trusted says that the saved state of the instance has this revision with this digest.
	Trusted bool
	// LastDeployed is the newest deployed revision of which the instance knows the record; zero when there is none.
	LastDeployed Record
	// Owner comes from the labels of the storage record.
	Owner
	// Drifts are the live objects that differ from the revision. They are empty if drift is ignored.
	Drifts []Drift
	// ServerSide says that a Helm 4 client applied the revision server-side. Helm 3 drops that mark from a record that it writes.
	ServerSide bool
	// Damaged says why the records of the release cannot be used, and what to do; empty when they can. Most other fields are empty then.
	Damaged string
	// KeptByHand says that an annotation of the record prevents pruning.
	KeptByHand bool
}

// Owner says which instance owns a release and what its revision was made from. It is stored in labels of Helm's storage record.
type Owner struct {
	// Instance is the agent instance that owns the release; empty when no instance does.
	Instance string
	// Origin identifies the repository, path and environment that last declared the release.
	Origin string
	// Keep prevents pruning: an orphan stays until a person uninstalls it.
	Keep bool
	// DriftOff says that the agent does not compare the release's live objects.
	DriftOff bool
	// Fingerprint is the hash of the inputs of the revision; empty when it is not known.
	Fingerprint string
}

// ChartVersion is the chart of a revision.
type ChartVersion struct {
	Name       string
	Version    string
	AppVersion string
}

// Rendered is the revision that Helm would make of a release now.
type Rendered struct {
	Key
	Chart    ChartVersion
	Values   map[string]any // in the form in which Helm would store them
	Manifest Manifest
	// CRDs are the objects in the chart's directory crds. Helm installs them only with the first revision.
	CRDs Manifest
	// Fingerprint is the hash of the inputs. If the newest revision has the same fingerprint, a new revision would be equal,
	// and the other fields here are empty.
	Fingerprint string
	// Reproduced says that the agent rendered exactly the content of the newest record, and used no values from that record.
	Reproduced bool
	// Err says why the release cannot be rendered: the chart does not exist, a template fails, or the values violate the schema.
	Err error
}

// These are labels of a release's storage record. PruneLabel with the value KeepValue also works as an annotation of the record and
// as a label in the helmfile.
const (
	InstanceLabel = "helmfile-agent.github.io/instance"
	OriginLabel   = "helmfile-agent.github.io/origin"
	PruneLabel    = "helmfile-agent.github.io/prune"
	// FingerprintLabel is the hash of the inputs of the revision. A release with equal inputs is not rendered again.
	FingerprintLabel = "helmfile-agent.github.io/fingerprint"
	KeepValue        = "keep"
	// AdoptServerSideLabel is a label of a release in the helmfile: true or false, see [Desired].
	AdoptServerSideLabel = "helmfile-agent.github.io/adopt-server-side"
)
