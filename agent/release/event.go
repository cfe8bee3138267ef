package release

// Event is what happened to a release in a line for `kubectl get events`.
type Event struct {
	Key
	Revision int    // whose storage record the Event is about; 0 if there is none
	Warning  bool   // or Normal
	Reason   string // one word in camel case, stable
	Message  string // at most 1024 bytes
}
