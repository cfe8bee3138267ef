// Package revision holds the type that names a commit. It is apart from package source so that the report can use the type
// without importing go-git. It imports no other package of the agent.
package revision

import "time"

// Revision says which commit of which repository a checkout is. It holds no credentials.
type Revision struct {
	Repo    string    `json:"repo,omitempty"`
	Ref     string    `json:"ref,omitempty"`    // as configured; the branch of the remote's HEAD if nothing is configured
	Commit  string    `json:"commit,omitempty"` // all 40 digits
	Author  string    `json:"author,omitempty"` // the name without the address
	Date    time.Time `json:"date,omitzero"`    // of the commit, not of its authoring
	Subject string    `json:"subject,omitempty"`
	Dirty   bool      `json:"dirty,omitempty"` // a local checkout differs from the commit
}
