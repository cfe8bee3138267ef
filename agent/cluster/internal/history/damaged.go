package history

import (
	"fmt"
	"strconv"
	"strings"

	helm "helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// damagedStatus is the status of a release whose records cannot be used. Helm does not know it.
const damagedStatus = "damaged"

// noteDamaged notes the release of a record that cannot be decoded. Helm skips such a record: it would take an older revision for the
// newest one, or install the release again. Helm's labels say which release it is.
func (h *History) noteDamaged(stored *corev1.Secret, cause error) {
	h.kube.Debugf("record %s/%s not decoded: %v", stored.Namespace, stored.Name, cause)
	name := stored.Labels["name"]
	if name == "" {
		return
	}
	version, _ := strconv.Atoi(stored.Labels["version"]) // 0 if the label does not say
	h.mu.Lock()
	defer h.mu.Unlock()
	key := release.Key{Namespace: stored.Namespace, Name: name}
	h.damaged[key] = release.Observed{
		Key: key, Revision: version, Status: damagedStatus, Owner: OwnerOf(&helm.Release{Labels: stored.Labels}),
		Damaged: fmt.Sprintf("its record cannot be decoded (Secret %s/%s: %s), so it is not known what is installed: restore this Secret from a backup, "+
			"or run `kubectl delete secret %s --namespace %s`, after which the revision before it counts",
			stored.Namespace, stored.Name, cause, stored.Name, stored.Namespace),
	}
}

// damagedRelease is what is known of a release whose records cannot be used: one cannot be decoded, or two are deployed.
func (h *History) damagedRelease(key release.Key, revisions []*helm.Release) (release.Observed, bool) {
	if damaged, found := h.damaged[key]; found {
		return damaged, true
	}
	var deployed []string
	var newest *helm.Release
	for _, revision := range revisions {
		if revision.Info.Status == helm.StatusDeployed {
			deployed = append(deployed, strconv.Itoa(revision.Version))
		}
		if newest == nil || newest.Version < revision.Version {
			newest = revision
		}
	}
	if len(deployed) < 2 {
		return release.Observed{}, false
	}
	return release.Observed{
		Key: key, Revision: newest.Version, Status: damagedStatus, Owner: OwnerOf(newest),
		Damaged: fmt.Sprintf("the revisions %s are all deployed, so it is not known which one is installed: run `helm rollback %s REVISION --namespace %s` "+
			"with the one that is right", strings.Join(deployed, ", "), key.Name, key.Namespace),
	}, true
}
