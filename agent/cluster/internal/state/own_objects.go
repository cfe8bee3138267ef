package state

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// ownLabels are the labels of the Lease and the ConfigMap of an instance.
func (s *Store) ownLabels() map[string]string {
	return map[string]string{"app.kubernetes.io/managed-by": "helmfile-agent", release.InstanceLabel: s.kube.Options.Instance}
}

// checkOwn refuses an object that has the name of the instance's object but not its labels. If an instance had the name of another
// application's Lease, it would disturb that application's leader election.
func (s *Store) checkOwn(kind string, object metav1.Object, holder string) error {
	labels := object.GetLabels()
	for label, value := range s.ownLabels() {
		if labels[label] != value {
			return exit.With(exit.ConfigInvalid, fmt.Errorf("%s %s/%s does not belong to instance %s: it has %s%s; "+
				"nothing was changed: give the instance another name (--instance), or, if nothing uses the %s any more, delete it",
				kind, object.GetNamespace(), object.GetName(), s.kube.Options.Instance, describeLabels(labels), holder, kind))
		}
	}
	return nil
}

// maxLabelsShown bounds the length of the message.
const maxLabelsShown = 10

func describeLabels(labels map[string]string) string {
	if len(labels) == 0 {
		return "no labels"
	}
	var all []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, label+"="+labels[label])
	}
	more := ""
	if len(all) > maxLabelsShown {
		more = fmt.Sprintf(" and %d more", len(all)-maxLabelsShown)
		all = all[:maxLabelsShown]
	}
	return "the labels " + strings.Join(all, ", ") + more
}
