package action

import (
	"testing"

	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestAWriterNotesTheNewestRecordThatItMade(t *testing.T) {
	memory := driver.NewMemory()
	memory.SetNamespace("shop")
	l := &recordingDriver{Driver: memory, ctx: t.Context(), mask: func(text string) string { return text }}
	revision := &helm.Release{Name: "web", Namespace: "shop", Version: 3, Manifest: "---\nkind: ConfigMap\n", Info: &helm.Info{Status: helm.StatusDeployed}}
	if err := l.Create("sh.helm.release.v1.web.v3", revision); err != nil {
		t.Fatal(err)
	}
	r := &Releases{}
	r.noteRecord(release.Key{Namespace: "shop", Name: "web"}, l)
	r.noteRecord(release.Key{Namespace: "shop", Name: "db"}, &recordingDriver{})
	var remembered release.InstanceState
	r.NoteRecords(&remembered)
	if got := remembered.Records["shop/web"]; len(remembered.Records) != 1 || got != (release.Record{Revision: 3, Digest: history.DigestOf(revision)}) {
		t.Errorf("%+v", remembered.Records)
	}
}
