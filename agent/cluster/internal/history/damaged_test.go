package history

import (
	"log/slog"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestADamagedRecordAffectsItsReleaseAlone: the others are observed, and the message says what to do.
func TestADamagedRecordAffectsItsReleaseAlone(t *testing.T) {
	at := func(version int, data func(record string) []byte) *corev1.Secret {
		record := strings.Replace(recordStart, `"version": 3`, `"version": `+strconv.Itoa(version), 1) + "}"
		stored := recordIn(t, "web", record)
		stored.Name = kube.RecordName(release.Key{Namespace: "shop", Name: "web"}, version)
		stored.Labels["version"], stored.Labels[release.InstanceLabel] = strconv.Itoa(version), "agent"
		if data != nil {
			stored.Data["release"] = data(record)
		}
		return stored
	}
	noBase64 := func(string) []byte { return []byte("***") }
	cutOff := func(record string) []byte { return packed(t, record)[:40] }
	const wayOut = "restore this Secret from a backup, or run `kubectl delete secret sh.helm.release.v1.web.v3 --namespace shop`, after which the revision before it counts"
	for name, test := range map[string]struct {
		records []runtime.Object
		want    []string
	}{
		"no base64":                     {[]runtime.Object{at(3, noBase64)}, []string{"illegal base64 data", wayOut}},
		"no gzip":                       {[]runtime.Object{at(3, cutOff)}, []string{"Secret shop/sh.helm.release.v1.web.v3", wayOut}},
		"nothing":                       {[]runtime.Object{at(3, func(string) []byte { return nil })}, []string{wayOut}},
		"an older one that is not read": {[]runtime.Object{at(3, noBase64), at(4, nil)}, []string{wayOut}},
		"two that are deployed": {[]runtime.Object{at(3, nil), at(5, nil)},
			[]string{"the revisions 3, 5 are all deployed, so it is not known which one is installed: run `helm rollback web REVISION --namespace shop`"}},
		"one that is well": {[]runtime.Object{at(5, nil)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset(append(test.records, recordIn(t, "db", strings.Replace(recordStart, "web", "db", 1)+"}"))...)
			c := &kube.Connection{Client: client, Namespace: "shop", Options: kube.Options{Log: slog.New(slog.DiscardHandler)}}
			found, _, err := New(c).Observe(t.Context(), []string{"shop"}, nil)
			if err != nil || len(found) != 2 || found[0].Name != "db" || found[0].Damaged != "" || found[0].Status != "deployed" {
				t.Fatalf("found %+v, %v", found, err)
			}
			again, err := New(c).Find(t.Context(), release.Key{Namespace: "shop", Name: "web"})
			if err != nil || again.Damaged != found[1].Damaged || again.Revision != found[1].Revision {
				t.Errorf("found again %+v, %v", again, err)
			}
			if found[1].Owner.Instance != "agent" || (found[1].Damaged != "") != (test.want != nil) {
				t.Errorf("found %+v", found[1])
			}
			for _, part := range test.want {
				if !strings.Contains(found[1].Damaged, part) {
					t.Errorf("%q does not contain %q", found[1].Damaged, part)
				}
			}
		})
	}
}
