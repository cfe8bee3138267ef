package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestServerSide has releases that Helm 4 applied server-side.
func TestServerSide(t *testing.T) { runStories(t, serverSideStories) }

const refusedServerSide = "Helm 4 applied revision 1 server-side (apply_method: ssa in its record)"

var serverSideStories = map[string]func(*story){
	"the release is refused, and its record keeps the mark": func(s *story) {
		s.installs(db, web)
		s.appliesServerSide("web")
		s.run().shows(releasesFailed, "db unchanged, web refused").says(refusedServerSide, "--adopt-server-side").writesNoState()
		s.diff().shows(releasesFailed, "db unchanged, web refused").says(refusedServerSide)
		s.declares(db, "- {name: web, chart: ./chart, values: [{color: red}]}\n")
		s.run().shows(releasesFailed, "db unchanged, web refused").says(refusedServerSide).writesNoState()
		s.has("db 1, web 1")
		if s.applyMethod("web", 1) != "ssa" {
			s.t.Error("the mark is gone")
		}
	},

	"with a label in the helmfile, the agent takes the release over": func(s *story) {
		s.installs(web)
		s.appliesServerSide("web")
		s.declares(`- {name: web, chart: ./chart, labels: {helmfile-agent.github.io/adopt-server-side: "true"}}` + "\n")
		s.run().shows(converged, "web upgraded").says("no object differs; taken over from Helm 4, which applied revision 1 server-side")
		s.has("web 2")
		if got := s.applyMethod("web", 2); got != "" {
			s.t.Errorf("the new revision says %q", got)
		}
		s.run().shows(converged, "web unchanged").writes("")
	},

	"with the setting, the agent takes all releases over": func(s *story) {
		s.installs(web)
		s.appliesServerSide("web")
		s.run("--adopt-server-side").shows(converged, "web upgraded").says("taken over from Helm 4")
		s.run().shows(converged, "web unchanged").writes("")
	},

	"installed: false uninstalls it": func(s *story) {
		s.installs(web)
		s.appliesServerSide("web")
		s.declares(webOff)
		s.run().shows(converged, "web uninstalled")
		s.has("")
	},
}

// appliesServerSide adds the mark of a Helm 4 client to the first revision.
func (s *story) appliesServerSide(name string) {
	s.t.Helper()
	record := s.record(name, 1)
	content := unpack(s.t, record.Data["release"])
	content["apply_method"] = "ssa"
	var packed bytes.Buffer
	packing := gzip.NewWriter(&packed)
	check(s.t, json.NewEncoder(packing).Encode(content))
	check(s.t, packing.Close())
	record.Data["release"] = []byte(base64.StdEncoding.EncodeToString(packed.Bytes()))
	must(client(s.t).CoreV1().Secrets(s.namespace).Update(s.t.Context(), record, meta.UpdateOptions{}))(s.t)
}

// applyMethod returns the mark in the record.
func (s *story) applyMethod(name string, revision int) string {
	s.t.Helper()
	method, _ := unpack(s.t, s.record(name, revision).Data["release"])["apply_method"].(string)
	return method
}

func unpack(t *testing.T, record []byte) map[string]any {
	t.Helper()
	packed := must(base64.StdEncoding.DecodeString(string(record)))(t)
	unpacking := must(gzip.NewReader(bytes.NewReader(packed)))(t)
	var content map[string]any
	check(t, json.Unmarshal(must(io.ReadAll(unpacking))(t), &content))
	return content
}
