package history

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"testing"

	helm "helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// stored is how Helm writes a record into a Secret.
func stored(record []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(record) // a bytes.Buffer gives no error
	_ = w.Close()
	return []byte(base64.StdEncoding.EncodeToString(packed.Bytes()))
}

// FuzzRecord states what holds for every storage record, which others can write: it makes nothing panic, and the digest of
// what Helm reads again is the digest of what it wrote.
func FuzzRecord(f *testing.F) {
	for _, record := range []string{"null", "{}", `{"name":"web","version":3,"info":null,"chart":null}`, `{"name":"web","hooks":[null]}`,
		`{"name":"web","chart":{"metadata":null,"templates":[null]}}`, `{"name":"web","manifest":"a: [","hooks":[{"events":["test"]}]}`,
		`{"name":"","version":-1,"info":{"status":"strange","last_deployed":"2026-01-01T00:00:00Z"}}`} {
		f.Add([]byte(record))
	}
	whole, err := json.Marshal(recorded(nil))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, content []byte) {
		h := New(&kube.Connection{Options: kube.Options{Log: slog.New(slog.DiscardHandler)}})
		secret := corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "sh.helm.release.v1.web.v3", Namespace: "shop"}, Data: map[string][]byte{"release": stored(content)}}
		decoded, err := h.decode(&secret)
		if err != nil || decoded == nil {
			return
		}
		for _, revision := range []*helm.Release{&decoded.Release} {
			key := release.Key{Namespace: "shop", Name: revision.Name}
			observed, err := h.observe(key, revision)
			if err != nil {
				continue
			}
			encoded, err := json.Marshal(revision)
			if err != nil {
				continue
			}
			var again helm.Release
			if err := json.Unmarshal(encoded, &again); err != nil {
				t.Fatalf("what Helm writes it cannot read: %v", err)
			}
			if digest := DigestOf(&again); digest != observed.Digest {
				t.Errorf("written and read again the record has another digest: %s", encoded)
			}
		}
	})
}
