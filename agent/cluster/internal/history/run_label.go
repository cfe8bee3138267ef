package history

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// RunLabel is the label of a record that names the run that wrote it, and the operation that is not finished:
// LEASE.TRANSITIONS.HOLDER.OPERATION.SEAL. Other Helm clients copy labels to the revisions that they make, and change the status of
// a record without changing its labels. So the label ends in a hash of what the run wrote: a label of another write does not count.
const RunLabel = "helmfile-agent.github.io/run"

// finished stands for the operation in the label when nothing is left to do.
const finished = "done"

// SetRun labels the revision as written by the run. The operation is what a later run must still finish; it may be empty.
func SetRun(revision *helm.Release, run release.Run, operation release.Operation) {
	if revision.Labels == nil {
		revision.Labels = map[string]string{}
	}
	word := string(operation)
	if word == "" {
		word = finished
	}
	written := strings.Join([]string{run.Lease, strconv.Itoa(run.Transitions), run.Holder, word}, ".")
	revision.Labels[RunLabel] = written + "." + seal(revision, written)
}

// RunOf is the run that wrote the revision as it is, and the operation that it left unfinished. It is zero for the writes of all other
// Helm clients.
func RunOf(revision *helm.Release) (release.Run, release.Operation) {
	label := revision.Labels[RunLabel]
	parts := strings.Split(label, ".")
	if len(parts) != 5 || revision.Info == nil {
		return release.Run{}, ""
	}
	transitions, err := strconv.Atoi(parts[1])
	if err != nil || parts[4] != seal(revision, strings.Join(parts[:4], ".")) {
		return release.Run{}, ""
	}
	operation := release.Operation(parts[3])
	if operation == finished {
		operation = ""
	}
	return release.Run{Lease: parts[0], Transitions: transitions, Holder: parts[2]}, operation
}

const sealLength = 8

func seal(revision *helm.Release, written string) string {
	i := revision.Info
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %s %d %d", written, revision.Version, i.Status, i.LastDeployed.UnixNano(), i.Deleted.UnixNano()))
	return hex.EncodeToString(sum[:])[:sealLength]
}

// OperationOf is what a Helm client was doing when it wrote the status; empty when it was done.
func OperationOf(status helm.Status) release.Operation {
	switch status {
	case helm.StatusPendingInstall:
		return release.Installing
	case helm.StatusPendingUpgrade:
		return release.Upgrading
	case helm.StatusPendingRollback:
		return release.RollingBack
	case helm.StatusUninstalling:
		return release.Uninstalling
	default:
		return ""
	}
}

// Interrupted is the operation that the revision records and that did not end: it is pending, or the run that wrote it was stopped.
func Interrupted(revision *helm.Release) release.Operation {
	if operation := OperationOf(revision.Info.Status); operation != "" {
		return operation
	}
	_, operation := RunOf(revision)
	return operation
}
