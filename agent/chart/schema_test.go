package chart

import (
	"log/slog"
	"strings"
	"testing"

	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/helmfile-agent/helmfile-agent/agent/egress"
)

func TestSchemasReferToNothingElse(t *testing.T) {
	store, err := NewStore(t.TempDir(), egress.Policy{Allowed: []string{"schemas.example"}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for schema, refused := range map[string]string{
		`{"$schema":"https://json-schema.org/draft-07/schema#","properties":{"a":{"$ref":"#/definitions/b"}}}`:                  "",
		`{"$schema":"http://json-schema.org/draft-07/schema","$id":"https://charts.example/web","$ref":"#/x"}`:                  "",
		`{"$id":"https://charts.example/web","$defs":{"a":{"$id":"a","type":"object"}},"$ref":"a"}`:                             "",
		`{"$ref":"https://schemas.example/a.json"}`:                                                                             "",
		`{"properties":{"$ref":{"type":"string"}}}`:                                                                             "",
		`{"$ref":"https://169.254.169.254/latest"}`:                                                                             "may not make the agent reach 169.254.169.254",
		`{"allOf":[{"$ref":"http://other.example/a.json"}]}`:                                                                    "other.example",
		`{"$id":"http://other.example/a.json","$ref":"b.json"}`:                                                                 "other.example",
		`{"$ref":"file:///var/run/secrets/token"}`:                                                                              "copy that into the schema",
		`{"$ref":"../../../var/run/secrets/token"}`:                                                                             "copy that into the schema",
		`{"$schema":"file:///etc/passwd"}`:                                                                                      "copy that into the schema",
		strings.Repeat(`{"not":`, maxSchemaDepth+1) + `{"$ref":"http://other.example"}` + strings.Repeat("}", maxSchemaDepth+1): "levels deep",
	} {
		c := &helmchart.Chart{Metadata: &helmchart.Metadata{Name: "web"}}
		c.AddDependency(&helmchart.Chart{Metadata: &helmchart.Metadata{Name: "sub"}, Schema: []byte(schema)})
		err := store.checkSchemas(c)
		if (err != nil) != (refused != "") || err != nil && !strings.Contains(err.Error(), refused) {
			t.Errorf("%.80s: got %v", schema, err)
		}
	}
}
