package action

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Adopt writes the labels of the newest revision's record, and nothing else: the release gets no new revision.
func (r *Releases) Adopt(ctx context.Context, have release.Observed, owner release.Owner) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": history.OwnerLabels(owner)}})
	if err != nil {
		return err
	}
	_, err = r.kube.Client.CoreV1().Secrets(have.Namespace).Patch(ctx, kube.RecordName(have.Key, have.Revision), types.MergePatchType, patch, metav1.PatchOptions{})
	return kube.Classify(fmt.Sprintf("label revision %d of %s", have.Revision, have.Key), err)
}
