package release

// Event describes a change of a release for `kubectl get events`.
type Event struct {
	Key
	Revision int    // the Event refers to the storage record of this revision; 0 if there is none
	Warning  bool   // the type is Warning, otherwise Normal
	Reason   string // one stable word in camel case
	Message  string // at most 1024 bytes
}
