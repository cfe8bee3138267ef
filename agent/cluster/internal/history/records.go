package history

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	helm "helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

const recordsPerChunk = 250

// currentRevisions reads Helm's records in a namespace, all or those with a label. It leaves out the superseded revisions: nine of the
// ten that Helm keeps. It notes the release of a record that cannot be decoded; a record that is too large is an error.
func (h *History) currentRevisions(ctx context.Context, namespace, label string) ([]*helm.Release, error) {
	opts := metav1.ListOptions{LabelSelector: "owner=helm,status!=" + string(helm.StatusSuperseded), Limit: recordsPerChunk}
	if label != "" {
		opts.LabelSelector += "," + label
	}
	var all []*helm.Release
	for {
		chunk, err := h.kube.Client.CoreV1().Secrets(namespace).List(ctx, opts)
		if err != nil {
			return nil, err
		}
		for i := range chunk.Items {
			decoded, err := h.decode(&chunk.Items[i])
			if err != nil {
				return nil, err
			}
			if decoded != nil {
				all = append(all, &decoded.Release)
			}
		}
		if opts.Continue = chunk.Continue; opts.Continue == "" {
			return all, nil
		}
	}
}

// decode decodes a stored record and notes what a Helm 3 release has no field for. It returns nil for a record that cannot be decoded.
func (h *History) decode(stored *corev1.Secret) (*record, error) {
	decoded, err := decodeRecord(stored.Data["release"])
	if errors.Is(err, errRecordTooLarge) {
		return nil, fmt.Errorf("Helm record %s/%s: %w; delete this Secret if it is not a record of yours", stored.Namespace, stored.Name, err)
	}
	if err != nil {
		h.noteDamaged(stored, err)
		return nil, nil
	}
	decoded.Labels = stored.Labels
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept[stored.Namespace+"/"+stored.Name] = stored.Annotations[release.PruneLabel] == release.KeepValue
	h.serverSide[stored.Namespace+"/"+stored.Name] = decoded.ApplyMethod == serverSideApply
	return decoded, nil
}

// RefuseServerSide returns an error if Helm 4 applied a revision server-side and the release must not be taken over. It is for superseded
// revisions, which are not observed.
func (h *History) RefuseServerSide(ctx context.Context, want release.Desired, revision int) error {
	stored, err := h.kube.Client.CoreV1().Secrets(want.Namespace).Get(ctx, kube.RecordName(want.Key, revision), metav1.GetOptions{})
	if err != nil {
		return kube.Classify(fmt.Sprintf("read revision %d of %s", revision, want.Key), err)
	}
	decoded, err := decodeRecord(stored.Data["release"])
	if err != nil {
		return fmt.Errorf("decode revision %d of %s: %w", revision, want.Key, err)
	}
	if !want.AdoptServerSide && decoded.ApplyMethod == serverSideApply {
		return errors.New(release.ServerSideRefusal(revision))
	}
	return nil
}

// record is a revision as it is stored.
type record struct {
	helm.Release
	ApplyMethod string `json:"apply_method"` // written by Helm 4
}

const serverSideApply = "ssa"

// maxRecord is the maximum size of an unpacked record. A Secret holds 1 MiB, and a chart's text usually packs to a tenth.
const maxRecord = 64 << 20

var errRecordTooLarge = fmt.Errorf("it is larger than %d MiB when unpacked", maxRecord>>20)

// decodeRecord decodes base64, gzip and JSON. Very old records are not packed with gzip.
func decodeRecord(stored []byte) (*record, error) {
	content, err := base64.StdEncoding.DecodeString(string(stored))
	if err != nil {
		return nil, err
	}
	if packed, err := gzip.NewReader(bytes.NewReader(content)); err == nil {
		if content, err = io.ReadAll(io.LimitReader(packed, maxRecord+1)); err != nil {
			return nil, err
		}
		if len(content) > maxRecord {
			return nil, errRecordTooLarge
		}
	}
	var decoded record
	if err := json.Unmarshal(content, &decoded); err != nil {
		return nil, err
	}
	if decoded.Info == nil {
		return nil, errors.New("it has no info, and so no status")
	}
	return &decoded, nil
}
