// Package revision contains the type that identifies a commit. It is separate from package source, so that the report can use the type
// without importing go-git. It imports no other package of the agent.
package revision

import "time"

// Revision identifies the commit of a checkout, and its repository. It contains no credentials.
type Revision struct {
	Repo    string    `json:"repo,omitempty"`
	Ref     string    `json:"ref,omitempty"`    // as configured; if it is not configured, the branch of the remote's HEAD
	Commit  string    `json:"commit,omitempty"` // 40 hexadecimal digits
	Author  string    `json:"author,omitempty"` // the name; the address if there is no name
	Date    time.Time `json:"date,omitzero"`    // the committer date, in UTC
	Subject string    `json:"subject,omitempty"`
	Dirty   bool      `json:"dirty,omitempty"` // the local work tree differs from the commit
}
