package history

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"helm.sh/helm/v3/pkg/chart"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	helmtime "helm.sh/helm/v3/pkg/time"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// packed is a record as Helm stores it.
func packed(t *testing.T, record string) []byte {
	t.Helper()
	var content bytes.Buffer
	packing := gzip.NewWriter(&content)
	if _, err := packing.Write([]byte(record)); err != nil || packing.Close() != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(content.Bytes()))
}

const recordStart = `{"name": "web", "namespace": "shop", "version": 3, "info": {"status": "deployed"}`

// TestHowARevisionWasApplied: only the record's own field counts.
func TestHowARevisionWasApplied(t *testing.T) {
	for name, test := range map[string]struct {
		data   []byte
		method string
		fails  bool
	}{
		"by Helm 3":                     {packed(t, recordStart+`}`), "", false},
		"by Helm 4, client-side":        {packed(t, recordStart+`, "apply_method": "csa"}`), "csa", false},
		"by Helm 4, server-side":        {packed(t, recordStart+`, "apply_method": "ssa"}`), "ssa", false},
		"a value of the same name":      {packed(t, recordStart+`, "config": {"apply_method": "ssa"}}`), "", false},
		"a value that quotes the field": {packed(t, recordStart+`, "manifest": "\"apply_method\": \"ssa\""}`), "", false},
		"not packed":                    {[]byte(base64.StdEncoding.EncodeToString([]byte(recordStart + `, "apply_method": "ssa"}`))), "ssa", false},
		"no base64":                     {[]byte("***"), "", true},
		"no JSON":                       {packed(t, `"apply_method"`), "", true},
		"cut off":                       {packed(t, recordStart+`}`)[:40], "", true},
		"nothing":                       {nil, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decodeRecord(test.data)
			if (err != nil) != test.fails {
				t.Fatalf("got %v", err)
			}
			if err == nil && (got.ApplyMethod != test.method || got.Name != "web" || got.Version != 3 || got.Info.Status != helm.StatusDeployed) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestRecordsAreDecodedAsHelmDoes compares with Helm's driver, field by field.
func TestRecordsAreDecodedAsHelmDoes(t *testing.T) {
	client := fake.NewClientset()
	secrets := driver.NewSecrets(client.CoreV1().Secrets("shop"))
	made := &helm.Release{
		Name: "web", Namespace: "shop", Version: 3, Manifest: "kind: ConfigMap", Config: map[string]any{"a": map[string]any{"b": 1.5}},
		Info:   &helm.Info{Status: helm.StatusDeployed, Notes: "notes", LastDeployed: helmtime.Unix(1e9, 0)},
		Chart:  &chart.Chart{Metadata: &chart.Metadata{Name: "web", Version: "1.2.3"}, Values: map[string]any{"c": true}},
		Hooks:  []*helm.Hook{{Name: "hook", Events: []helm.HookEvent{helm.HookPreInstall}}},
		Labels: map[string]string{release.InstanceLabel: "agent"},
	}
	if err := secrets.Create("sh.helm.release.v1.web.v3", made); err != nil {
		t.Fatal(err)
	}
	want, err := secrets.List(func(*helm.Release) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	got, err := New(&kube.Connection{Client: client}).currentRevisions(t.Context(), "shop", "name=web")
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(chart.Chart{})); err != nil || diff != "" || len(got) != 1 {
		t.Errorf("%v: %s", err, diff)
	}
}

// TestObserveFindsServerSideApply without one more request than a run makes anyway.
func TestObserveFindsServerSideApply(t *testing.T) {
	client := fake.NewClientset(recordIn(t, "web", recordStart+`, "apply_method": "ssa"}`), recordIn(t, "db", strings.Replace(recordStart, "web", "db", 1)+`}`))
	reader := New(&kube.Connection{Client: client, Namespace: "shop", Options: kube.Options{Log: slog.New(slog.DiscardHandler)}})
	found, _, err := reader.Observe(t.Context(), []string{"shop"}, nil)
	if err != nil || len(found) != 2 {
		t.Fatalf("found %v, %v", found, err)
	}
	if found[0].Name != "db" || found[0].ServerSide || found[1].Name != "web" || !found[1].ServerSide {
		t.Errorf("found %+v", found)
	}
	if requests := client.Actions(); len(requests) != 1 || requests[0].GetVerb() != "list" {
		t.Errorf("got the requests %v", requests)
	}
}

// TestSupersededRevisionsAreRefusedToo: they are not observed, so their records are read again.
func TestSupersededRevisionsAreRefusedToo(t *testing.T) {
	client := fake.NewClientset(recordIn(t, "web", recordStart+`, "apply_method": "ssa"}`))
	writer := New(&kube.Connection{Client: client, Namespace: "shop"})
	want := release.Desired{Key: release.Key{Namespace: "shop", Name: "web"}}
	err := writer.RefuseServerSide(context.Background(), want, 3)
	if err == nil || err.Error() != release.ServerSideRefusal(3) {
		t.Errorf("got %v", err)
	}
	want.AdoptServerSide = true
	if err := writer.RefuseServerSide(context.Background(), want, 3); err != nil {
		t.Errorf("got %v", err)
	}
}

func recordIn(t *testing.T, name, record string) *corev1.Secret {
	t.Helper()
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: kube.RecordName(release.Key{Namespace: "shop", Name: name}, 3),
			Labels: map[string]string{"owner": "helm", "name": name, "status": helm.StatusDeployed.String(), "version": "3"},
		},
		Type: "helm.sh/release.v1", Data: map[string][]byte{"release": packed(t, record)},
	}
}

// TestLargeRecordsAreRefused: a small Secret must not unpack to more memory than the agent has.
func TestLargeRecordsAreRefused(t *testing.T) {
	bomb := recordIn(t, "web", strings.Repeat(" ", maxRecord)+recordStart+"}")
	if size := len(bomb.Data["release"]); size > 1<<20 {
		t.Fatalf("the record of %d bytes does not fit into a Secret", size)
	}
	h := New(&kube.Connection{Client: fake.NewClientset(bomb), Namespace: "shop", Options: kube.Options{Log: slog.New(slog.DiscardHandler)}})
	_, _, err := h.Observe(t.Context(), []string{"shop"}, nil)
	if err == nil || !strings.Contains(err.Error(), "Helm record shop/sh.helm.release.v1.web.v3: it is larger than 64 MiB when unpacked") {
		t.Errorf("got %v", err)
	}
}
