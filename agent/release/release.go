// Package release holds the nouns every room shares: what a release is, wanted and found. It decides nothing.
//
// It may import no other room.
package release

import (
	"cmp"
	"time"
)

// Key names a release: Helm allows one release of a name in a namespace. Both parts are always set.
type Key struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String is "namespace/name", the way helmfile writes a release in `needs`.
func (k Key) String() string { return k.Namespace + "/" + k.Name }

// Compare orders keys by namespace, then name.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Namespace, other.Namespace), cmp.Compare(k.Name, other.Name))
}

// State says what the helmfile wants of a release that it declares.
type State string

const (
	Installed  State = "installed"
	Absent     State = "absent"     // `installed: false`
	Disabled   State = "disabled"   // its `condition` is off: neither installed nor uninstalled
	Unselected State = "unselected" // left out by --selector: neither installed nor uninstalled
)

// Desired is one release as the helmfile declares it, with every layer of values merged and every flag resolved.
type Desired struct {
	Key
	State State

	// File is the state file that declares the release, relative to the checkout.
	File string
	// Stage is the position of File in helmfile's order. helmfile works through state files one after another:
	// nested ones first, those of a directory by name.
	Stage int
	// Needs are the releases of the same state file that must be in place first.
	Needs []Key
	// Labels are helmfile's labels, its own name, namespace and chart among them.
	Labels map[string]string

	Chart   Chart
	Values  map[string]any
	Options Options

	// Broken is set when helmfile could not prepare this release (a patch that does not apply, a kustomization that does
	// not build) though it could prepare others. Chart, Values and Options are not complete then.
	Broken error
}

// Chart says where a chart is to be had. Path and Ref exclude each other.
type Chart struct {
	// Name is the chart as the helmfile writes it, for people.
	Name string
	// Path is the absolute directory or archive of a local chart.
	Path string
	// Ref is "oci://host/path/name[@digest]", an "https://…tgz" URL, or the chart's name within Repository.
	Ref string
	// Repository is where Ref is looked up; nil for local charts, URLs, and registries that need no configuration.
	Repository *Repository
	// Version is a version or constraint; empty means the latest stable one.
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

// Options say how a release is installed, upgraded and uninstalled; the names are Helm's.
type Options struct {
	Atomic                   bool
	CleanupOnFail            bool
	CreateNamespace          bool
	Description              string
	DisableHooks             bool
	DisableOpenAPIValidation bool
	EnableDNS                bool
	Force                    bool
	HideNotes                bool
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
	Timeout                  time.Duration // of one Kubernetes operation; 0 means Helm's default of 5 minutes
	Wait                     bool
	WaitForJobs              bool

	DeleteWait    bool
	DeleteTimeout time.Duration // 0 means Helm's default of 5 minutes
	Cascade       string        // background, foreground or orphan; empty means background
}

// Observed is what Helm's storage records of a release: its newest revision.
type Observed struct {
	Key
	Revision int
	Status   string // Helm's status: deployed, failed, pending-upgrade, …
	Updated  time.Time
	Chart    ChartVersion
	Values   map[string]any // as given by the user, without the chart's defaults
	Manifest Manifest
	// Digest is of the manifest and the hooks as they are stored, see [Record].
	Digest string
	// Trusted says that the instance remembers this revision with this digest.
	Trusted bool
	// LastDeployed is the newest deployed revision of which the instance knows the record; zero when there is none.
	LastDeployed Record
	// Owner is whose release it is, as its labels say.
	Owner
	// Drifts are the live objects that are not as the revision says; they are looked for only where somebody wants to know.
	Drifts []Drift
	// KeptByHand says that somebody annotated the record so that the release is never pruned.
	KeptByHand bool
}

// Owner says whose a release is and what it was made from. It travels as labels on Helm's storage record.
type Owner struct {
	// Instance is the agent instance that owns the release; empty when none does.
	Instance string
	// Origin identifies the repository, path and environment that the instance last declared the release in.
	Origin string
	// Keep forbids pruning: an orphan stays until a person takes it away.
	Keep bool
	// DriftOff says that nobody looks at the release's live objects.
	DriftOff bool
	// Fingerprint is of the inputs that the revision was made from; empty when that is not known.
	Fingerprint string
}

// ChartVersion is the chart that a revision was made from.
type ChartVersion struct {
	Name       string
	Version    string
	AppVersion string
}

// Rendered is what the next revision of a release would hold if it were made now.
type Rendered struct {
	Key
	Chart    ChartVersion
	Values   map[string]any // as Helm would record them
	Manifest Manifest
	// CRDs are what the chart has beside its templates and brings with the first revision only.
	CRDs Manifest
	// Fingerprint is of the inputs. When the last revision has the same, that revision is what would be made, and nothing
	// else is filled in here.
	Fingerprint string
	// Reproduced says that the agent rendered exactly what the newest revision's record holds, without using values from it.
	Reproduced bool
	// Err says why no revision can be made of this release: no such chart, templates that fail, a schema violated.
	Err error
}

// The labels on a release's storage record. PruneLabel with the value KeepValue is understood as an annotation of the record
// and as a label in the helmfile too.
const (
	InstanceLabel = "helmfile-agent.github.io/instance"
	OriginLabel   = "helmfile-agent.github.io/origin"
	PruneLabel    = "helmfile-agent.github.io/prune"
	// FingerprintLabel is of the inputs that the revision was made from, so that equal ones need not be rendered again.
	FingerprintLabel = "helmfile-agent.github.io/fingerprint"
	KeepValue        = "keep"
)
