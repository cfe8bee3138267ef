package schema

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
)

// schemaURL is the URL that Helm uses for every values schema.
const schemaURL = "file:///values.schema.json"

const (
	maxSchemaBases     = 32  // base URLs of one part of a schema
	maxSchemaDocuments = 100 // documents that one schema refers to
)

// Check refuses values schemas for which Helm might read a file or send a request. Helm compiles a schema with a loader that opens every
// URL, and the agent cannot replace that loader. Helm still validates the values, so the results and messages are those of Helm.
func Check(c *helmchart.Chart) error {
	if err := checkSchema(c.Schema); err != nil {
		return fmt.Errorf("values.schema.json of chart %s: %w", c.Name(), err)
	}
	for _, dependency := range c.Dependencies() {
		if err := Check(dependency); err != nil {
			return err
		}
	}
	return nil
}

// checkSchema uses Helm's schema library to resolve every document that the schema may refer to. The loader here opens nothing.
func checkSchema(data []byte) (err error) {
	defer charterrors.RecoverPanic(&err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	root, isObject := document.(map[string]any)
	if err != nil || !isObject {
		return nil // Helm reports the error when it validates the values
	}
	refs := schemaReferences{documents: map[string]bool{}, metaSchemas: map[string]bool{}}
	bases, err := rootBases(root)
	if err == nil {
		err = refs.children(root, bases)
	}
	if err != nil {
		return err
	}
	for _, address := range slices.Sorted(maps.Keys(refs.metaSchemas)) {
		if err := resolve(map[string]any{"$schema": address}, schemaURL); err != nil {
			return err
		}
	}
	for _, address := range slices.Sorted(maps.Keys(refs.documents)) {
		if err := probe(root, address); err != nil {
			return err
		}
	}
	return nil
}

// probe resolves a reference before the library compiles any other part of the schema. The library compiles the parts in random order, and
// an $id that it has already compiled can decide whether a reference leads out of the schema.
func probe(root map[string]any, address string) error {
	const key = "helmfile-agent-probe"
	probed := maps.Clone(root)
	probed[key] = map[string]any{"$ref": address}
	return resolve(probed, schemaURL+"#/"+key)
}

// resolve compiles a schema and returns an error only if the library wants to open a document. Helm reports all other errors.
func resolve(document any, at string) error {
	opened := &refusingLoader{}
	_, _ = compileSchema(document, at, opened) // Helm reports the same error
	if opened.address != "" {
		return fmt.Errorf("it refers to the document %s, and the agent opens no documents: copy that into the schema, below $defs and with its full URL as $id", charterrors.PublicURL(opened.address))
	}
	return nil
}

// compileSchema compiles a schema as Helm does, but with another loader for files and HTTP.
func compileSchema(document any, at string, opened *refusingLoader) (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(jsonschema.SchemeURLLoader{"file": opened, "http": opened, "https": opened, "urn": urnLoader{}})
	if err := compiler.AddResource(schemaURL, document); err != nil {
		return nil, err
	}
	return compiler.Compile(at)
}

// refusingLoader records the last document that the library wants to open. The library contains the meta schemas of json-schema.org, so it
// never opens them.
type refusingLoader struct{ address string }

// Load implements jsonschema.URLLoader.
func (l *refusingLoader) Load(address string) (any, error) {
	l.address = address
	return nil, errors.New("the agent opens no documents")
}

// urnLoader loads a urn: as a schema that permits every value, as Helm does.
type urnLoader struct{}

// Load implements jsonschema.URLLoader.
func (urnLoader) Load(string) (any, error) { return true, nil }

// schemaReferences collects the documents that a schema may refer to. It also collects references that the library does not follow, such as
// those in a default value, because it cannot know which parts the library reads as schemas.
type schemaReferences struct {
	documents   map[string]bool
	metaSchemas map[string]bool
}

// node visits a part of the schema. A relative reference in it may be relative to any of the bases.
func (r *schemaReferences) node(node any, bases []string) error {
	switch n := node.(type) {
	case map[string]any:
		bases, err := withIDs(n, bases)
		if err != nil {
			return err
		}
		return r.children(n, bases)
	case []any:
		for _, child := range n {
			if err := r.node(child, bases); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *schemaReferences) children(n map[string]any, bases []string) error {
	if address, ok := n["$schema"].(string); ok {
		r.metaSchemas[address] = true
	}
	for _, key := range []string{"$ref", "$dynamicRef", "$recursiveRef"} {
		if reference, ok := n[key].(string); ok {
			if err := r.add(reference, bases); err != nil {
				return err
			}
		}
	}
	if len(r.documents)+len(r.metaSchemas) > maxSchemaDocuments {
		return fmt.Errorf("it refers to more than %d documents: merge them", maxSchemaDocuments)
	}
	for _, child := range n {
		if err := r.node(child, bases); err != nil {
			return err
		}
	}
	return nil
}

// add records the documents that a reference may lead to. A reference that is only a fragment stays in its document.
func (r *schemaReferences) add(reference string, bases []string) error {
	document, _, _ := strings.Cut(reference, "#")
	if document == "" {
		return nil
	}
	addresses, err := joinAll(bases, document)
	for _, address := range addresses {
		if address != schemaURL {
			r.documents[address] = true
		}
	}
	return err
}

// rootBases is the URL of the whole schema. This is its id, if the draft of the schema has that keyword. The library decides this.
func rootBases(root map[string]any) ([]string, error) {
	head := map[string]any{}
	for _, key := range []string{"$schema", "$id", "id"} {
		if text, ok := root[key].(string); ok {
			head[key] = text
		}
	}
	if _, ok := root["$ref"]; ok { // older drafts ignore an id beside it
		head["$ref"] = "#"
	}
	compiled, err := compileSchema(head, schemaURL, &refusingLoader{})
	switch {
	case err != nil:
		return withIDs(root, []string{schemaURL})
	case compiled.ID == "":
		return []string{schemaURL}, nil
	}
	return joinAll([]string{schemaURL}, compiled.ID)
}

// withIDs adds the URLs that a part may have. In which places the library reads an $id or id depends on the draft.
func withIDs(n map[string]any, bases []string) ([]string, error) {
	var added []string
	for _, key := range []string{"$id", "id"} {
		id, _ := n[key].(string)
		id, _, _ = strings.Cut(id, "#")
		if id == "" {
			continue
		}
		resolved, err := joinAll(bases, id)
		if err != nil {
			return nil, err
		}
		added = append(added, resolved...)
	}
	all := slices.Concat(bases, added)
	slices.Sort(all)
	if all = slices.Compact(all); len(all) > maxSchemaBases {
		return nil, errors.New("too many relative $id are nested in it: write them as full URLs")
	}
	return all, nil
}

// joinAll resolves a reference relative to each base. It leaves out an invalid URL, which the library refuses without opening anything.
func joinAll(bases []string, reference string) ([]string, error) {
	var all []string
	for _, base := range bases {
		address, ok := join(base, reference)
		if !ok {
			continue
		}
		if again, ok := join(address, ""); !ok || again != address {
			return nil, fmt.Errorf("%q is an ambiguous address: write it as a full URL", reference)
		}
		all = append(all, address)
	}
	return all, nil
}

// join resolves a reference without a fragment as the library does.
func join(base, reference string) (string, bool) {
	from, err := url.Parse(base)
	if err != nil {
		return "", false
	}
	to, err := url.Parse(reference)
	if err != nil {
		return "", false
	}
	resolved := from.ResolveReference(to)
	if !to.IsAbs() && from.Opaque != "" {
		resolved.Opaque = from.Opaque
	}
	return resolved.String(), true
}
