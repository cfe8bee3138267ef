package schema

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
)

// tries is how often a test has Helm compile a schema, because the order in which the library does that is random.
const tries = 60

// schemaTarget is a server and a file that a schema may refer to.
type schemaTarget struct {
	hits      atomic.Int64
	url, file string
}

func newSchemaTarget(t *testing.T) *schemaTarget {
	t.Helper()
	target := &schemaTarget{file: filepath.Join(t.TempDir(), "key.json")}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		target.hits.Add(1)
		fmt.Fprint(w, `{"pattern":"canary["}`)
	}))
	t.Cleanup(server.Close)
	target.url = server.URL
	charttest.Write(t, target.file, "canary[")
	return target
}

// opened says whether Helm opens a document of the target when it validates.
func (target *schemaTarget) opened(schema string) bool {
	for range tries {
		target.hits.Store(0)
		err := chartutil.ValidateAgainstSingleSchema(map[string]any{"a": 5}, []byte(schema))
		if target.hits.Load() > 0 || err != nil && (strings.Contains(err.Error(), "canary[") || strings.Contains(err.Error(), "failing loading")) {
			return true
		}
	}
	return false
}

// withSchema is a chart whose dependency has the schema.
func withSchema(schema string) *helmchart.Chart {
	top := &helmchart.Chart{Metadata: &helmchart.Metadata{Name: "web"}}
	top.AddDependency(&helmchart.Chart{Metadata: &helmchart.Metadata{Name: "sub"}, Schema: []byte(schema)})
	return top
}

// TestSchemasOpenNothing has Helm compile each schema. Those that make it open a document are refused.
func TestSchemasOpenNothing(t *testing.T) {
	for name, schema := range map[string]string{
		"a URL":                                   `{"properties":{"a":{"$ref":"@U@/x"}}}`,
		"a file":                                  `{"properties":{"a":{"$ref":"file://@F@"}}}`,
		"a path":                                  `{"properties":{"a":{"$ref":"../..@F@"}}}`,
		"a host of meta schemas":                  `{"$ref":"http://json-schema.org@F@/not-there"}`,
		"its own id, another draft's":             `{"id":"@U@/x","properties":{"a":{"$ref":"@U@/x"}}}`,
		"its own id, the draft's":                 `{"$schema":"http://json-schema.org/draft-07/schema#","id":"@U@/x","properties":{"a":{"$ref":"@U@/x"}}}`,
		"its own id, a file":                      `{"$schema":"http://json-schema.org/draft-07/schema#","id":"file://@F@","properties":{"a":{"$ref":"file://@F@"}}}`,
		"a base with a meta schema as its id":     `{"$schema":"http://json-schema.org/draft-07/schema#","id":"http://json-schema.org/x","properties":{"a":{"$ref":"../..@F@"}}}`,
		"an id in a constant":                     `{"properties":{"b":{"const":{"$id":"@U@/x"}},"a":{"$ref":"@U@/x"}}}`,
		"an id in an enum":                        `{"properties":{"b":{"enum":[{"$id":"@U@/x"}]},"a":{"$ref":"@U@/x"}}}`,
		"an id in a default":                      `{"properties":{"b":{"default":{"$id":"@U@/x"}},"a":{"$ref":"@U@/x"}}}`,
		"an id that the library finds by chance":  `{"x-b":{"c":{"$id":"@U@/x"}},"properties":{"b":{"$ref":"#/x-b/c"},"a":{"$ref":"@U@/x"}}}`,
		"a base that the library finds by chance": `{"$defs":{"d":{"$id":"@U@/in/d"}},"x-b":{"$id":"@U@/out/","c":{"$ref":"d"}},"$id":"@U@/in/","properties":{"b":{"$ref":"#/x-b"},"a":{"$ref":"#/x-b/c"}}}`,
		"an id beside a reference":                `{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"b":{"$id":"@U@/x","$ref":"#/definitions/c"},"c":{}},"properties":{"a":{"$ref":"@U@/x"}}}`,
		"beside a mistake":                        `{"properties":{"b":{"$ref":"#/nowhere"},"a":{"$ref":"@U@/x"}}}`,
		"a meta schema":                           `{"$schema":"@U@/x"}`,
		"a meta schema of a part":                 `{"properties":{"a":{"$schema":"@U@/x"}}}`,
		"a meta schema of a part, a file":         `{"properties":{"a":{"$schema":"file://@F@"}}}`,
		"a dynamic reference":                     `{"$dynamicRef":"@U@/x#a"}`,
		"a recursive reference":                   `{"$schema":"https://json-schema.org/draft/2019-09/schema","properties":{"a":{"$recursiveRef":"@U@/x"}}}`,
		"deep":                                    strings.Repeat(`{"not":`, 50) + `{"$ref":"@U@/x"}` + strings.Repeat("}", 50),
	} {
		t.Run(name, func(t *testing.T) {
			target := newSchemaTarget(t)
			schema = strings.NewReplacer("@U@", target.url, "@F@", target.file).Replace(schema)
			if !target.opened(schema) {
				t.Fatal("Helm opens nothing for this schema: the test has no effect")
			}
			target.hits.Store(0)
			charttest.ExpectError(t, Check(withSchema(schema)), "values.schema.json of chart sub", "copy that into the schema")
			for range tries {
				charttest.ExpectError(t, checkSchema([]byte(schema)), "copy that into the schema")
			}
			if target.hits.Load() > 0 {
				t.Error("the agent opened it")
			}
		})
	}
}

// TestSchemasWithoutOtherDocuments: the agent permits them, and Helm reports their errors.
func TestSchemasWithoutOtherDocuments(t *testing.T) {
	for schema, valid := range map[string]bool{
		`{"$schema":"https://json-schema.org/draft-07/schema#","properties":{"a":{"$ref":"#/definitions/b"}},"definitions":{"b":{"type":"string"}}}`: false,
		`{"$schema":"https://json-schema.org/draft-07/schema#","properties":{"a":{"$ref":"#/definitions/b"}}}`:                                       false,
		`{"$id":"https://charts.example/web","$defs":{"a":{"$id":"a","type":"object"}},"$ref":"a"}`:                                                  true,
		`{"$id":"https://charts.example/web","$defs":{"b":{"type":"string"}},"properties":{"a":{"$ref":"https://charts.example/web#/$defs/b"}}}`:     false,
		`{"$defs":{"x":{"$id":"https://charts.example/x","$ref":"https://charts.example/y"},"y":{"$id":"https://charts.example/y","type":"string"}},
			"properties":{"a":{"$ref":"https://charts.example/x"}}}`: false,
		`{"id":"https://charts.example/web","$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{"$ref":"#/definitions/b"}},"definitions":{"b":{}}}`: true,
		`{"$ref":"values.schema.json#/$defs/b","$defs":{"b":{"required":["z"]}}}`:                                                                                      false,
		`{"$ref":"file:///values.schema.json#/$defs/b","$defs":{"b":{"required":["z"]}}}`:                                                                              false,
		`{"properties":{"a":{"$ref":"http://json-schema.org/draft-07/schema#/definitions/nonNegativeInteger"}}}`:                                                       true,
		`{"properties":{"a":{"$ref":"urn:example:a"}}}`:                                                                                                                true,
		`{"properties":{"a":{"$ref":"other:a"}}}`:                                                                                                                      false,
		`{"properties":{"$ref":{"type":"string"},"id":{"type":"string"}}}`:                                                                                             true,
		`{"properties":{"a":{"default":{"id":"web","$ref":"#/x"}}}}`:                                                                                                   true,
		`{"properties":{"a":{"pattern":"("}}}`:                                                                                                                         false,
		`{"properties":{"a":{"type":"strong"}}}`:                                                                                                                       false,
		`{"type":`:                                                                                                                                                     false,
		``:                                                                                                                                                             false,
		`true`:                                                                                                                                                         true,
		`false`:                                                                                                                                                        false,
		`{}`:                                                                                                                                                           true,
	} {
		c := withSchema(schema)
		if err := Check(c); err != nil {
			t.Errorf("%s is refused: %v", schema, err)
			continue
		}
		if got := string(c.Dependencies()[0].Schema); got != schema {
			t.Errorf("%s became %s", schema, got)
		}
		if err := chartutil.ValidateAgainstSingleSchema(map[string]any{"a": 5}, []byte(schema)); (err == nil) != valid {
			t.Errorf("%s: Helm says %v", schema, err)
		}
	}
}

func TestSchemasHaveLimits(t *testing.T) {
	var many []string
	for i := range maxSchemaDocuments + 1 {
		many = append(many, fmt.Sprintf(`{"$ref":"https://charts.example/%d"}`, i))
	}
	nested := `{}`
	for level := range 8 {
		nested = fmt.Sprintf(`{"x":{"$id":"%d/","x":%s}}`, level, nested)
	}
	for schema, want := range map[string]string{
		`{"allOf":[` + strings.Join(many, ",") + `]}`: "more than 100 documents",
		nested: "too many relative $id",
		`{"$defs":{"a":{"$id":"http:/..//charts.example"}}}`: "ambiguous address",
	} {
		err := Check(&helmchart.Chart{Metadata: &helmchart.Metadata{Name: "web"}, Schema: []byte(schema)})
		if !json.Valid([]byte(schema)) || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: got %v", schema, err)
		}
	}
}
