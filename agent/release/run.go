package release

// Run identifies the run that wrote a revision, by the Lease that it held.
type Run struct {
	Lease       string // the first part of the UID of the Lease
	Transitions int    // how often the Lease had changed hands when the run took it
	Holder      string // the random part of the holder's identity
}

// Lease is the instance's Lease as a run found it before it read anything else.
type Lease struct {
	ID     string // the first part of its UID; empty when there is none, or when it may not be read
	Holder string // the random part of the last holder's identity; empty when the Lease was released
	Held   bool   // the holder may still be writing
}

// Ended says that the run is known to have ended: it no longer holds this Lease.
func (l Lease) Ended(r Run) bool {
	return r.Lease != "" && r.Lease == l.ID && (!l.Held || l.Holder != r.Holder)
}

// Operation is what a Helm client does to a release.
type Operation string

// The operations that may be interrupted.
const (
	Installing   Operation = "install"
	Upgrading    Operation = "upgrade"
	RollingBack  Operation = "rollback"
	Uninstalling Operation = "uninstall"
)
