package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// removed is how Helm is told to take a label away that an earlier revision had.
const removed = "null"

// labelled adds the labels that say whose the release is to those that the helmfile asks for.
func labelled(want release.Desired, owner release.Owner) release.Desired {
	labels := maps.Clone(want.Options.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	// helmfile puts its own label into syncReleaseLabels; the record's is the agent's to set.
	for name, value := range OwnerLabels(owner) {
		labels[name] = removed
		if value != nil {
			labels[name] = *value
		}
	}
	want.Options.Labels = labels
	return want
}

// OwnerLabels maps each of the agent's labels to its value, or to nil when it should not be there.
func OwnerLabels(owner release.Owner) map[string]*string {
	labels := map[string]*string{
		release.InstanceLabel:    &owner.Instance,
		release.OriginLabel:      &owner.Origin,
		release.PruneLabel:       nil,
		release.DriftLabel:       nil,
		release.FingerprintLabel: nil,
	}
	if owner.Keep {
		keep := release.KeepValue
		labels[release.PruneLabel] = &keep
	}
	if owner.DriftOff {
		off := string(release.IgnoreDrift)
		labels[release.DriftLabel] = &off
	}
	if owner.Fingerprint != "" {
		labels[release.FingerprintLabel] = &owner.Fingerprint
	}
	return labels
}

// Adopt writes the labels of the newest revision's record, and nothing else: the release gets no new revision.
func (w *Writer) Adopt(ctx context.Context, have release.Observed, owner release.Owner) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": OwnerLabels(owner)}})
	if err != nil {
		return err
	}
	_, err = w.c.Client.CoreV1().Secrets(have.Namespace).Patch(ctx, RecordName(have.Key, have.Revision), types.MergePatchType, patch, metav1.PatchOptions{})
	return Classify(fmt.Sprintf("label revision %d of %s", have.Revision, have.Key), err)
}

// Prune uninstalls what was found and is not declared. It looks once more before: whoever has upgraded the release since,
// taken it over or asked to keep it knows something that this run does not.
func (w *Writer) Prune(ctx context.Context, have release.Observed) error {
	found, err := newReader(w.c).find(ctx, have.Key)
	switch {
	case err != nil:
		return fmt.Errorf("look at %s before it is pruned: %w", have.Key, err)
	case found == nil:
		return nil
	case found.Revision != have.Revision || found.Digest != have.Digest || found.Owner != have.Owner || found.KeptByHand != have.KeptByHand:
		return fmt.Errorf("%s was changed by somebody else during this run: not pruned", have.Key)
	}
	return w.Uninstall(ctx, release.Desired{Key: have.Key})
}
