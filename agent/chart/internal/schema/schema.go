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

// schemaURL is the address that Helm gives to every values schema.
const schemaURL = "file:///values.schema.json"

const (
	maxSchemaBases     = 32  // addresses that one part of a schema may have
	maxSchemaDocuments = 100 // documents that one schema may refer to
)

// Check refuses values schemas for which Helm might read a file or ask a server. Helm compiles a schema with a loader that opens
// every URL, and that loader cannot be replaced. Validation stays with Helm, so its results and messages are Helm's own.
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

// checkSchema has Helm's own library resolve every document that the schema may refer to, with a loader that opens nothing.
func checkSchema(data []byte) (err error) {
	defer charterrors.RecoverPanic(&err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	root, isObject := document.(map[string]any)
	if err != nil || !isObject {
		return nil // Helm reads it with the same function and says what is wrong, if it needs the schema
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

// probe resolves a reference before anything else in the schema is compiled. The order in which the library compiles is random, and
// a part with an $id that it finds only on its way must not decide whether a reference leads out of the schema.
func probe(root map[string]any, address string) error {
	const key = "helmfile-agent-probe"
	probed := maps.Clone(root)
	probed[key] = map[string]any{"$ref": address}
	return resolve(probed, schemaURL+"#/"+key)
}

// resolve compiles a schema and returns an error only if that would open a document. What else is wrong with it is for Helm to say.
func resolve(document any, at string) error {
	opened := &refusingLoader{}
	_, _ = compileSchema(document, at, opened) // Helm makes the same mistake
	if opened.address != "" {
		return fmt.Errorf("it refers to the document %s, and the agent opens none: copy that into the schema, below $defs and with its full URL as $id", charterrors.PublicURL(opened.address))
	}
	return nil
}

// compileSchema compiles as Helm does, but for the loader of files and of HTTP.
func compileSchema(document any, at string, opened *refusingLoader) (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(jsonschema.SchemeURLLoader{"file": opened, "http": opened, "https": opened, "urn": anything{}})
	if err := compiler.AddResource(schemaURL, document); err != nil {
		return nil, err
	}
	return compiler.Compile(at)
}

// refusingLoader remembers what it was asked for. The meta schemas of json-schema.org are part of the library, which asks for them nowhere.
type refusingLoader struct{ address string }

// Load implements jsonschema.URLLoader.
func (l *refusingLoader) Load(address string) (any, error) {
	l.address = address
	return nil, errors.New("the agent opens no documents")
}

// anything is what Helm takes a urn: for. It opens nothing for that.
type anything struct{}

// Load implements jsonschema.URLLoader.
func (anything) Load(string) (any, error) { return true, nil }

// schemaReferences collects the addresses that a schema may refer to. It takes more for a reference than the library does, such as
// those in a default value: which parts the library reads as schemas depends on the references in others.
type schemaReferences struct {
	documents   map[string]bool
	metaSchemas map[string]bool
}

// node visits a part of the schema. bases are the addresses that relative references in it may be relative to.
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

// add notes where a reference may lead. One that has only a fragment stays in its document.
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

// rootBases is the address of the whole schema: its id, if its draft knows that keyword, which the library says.
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

// withIDs adds the addresses that a part may have. The library reads an $id or id only in some places, which depend on the draft.
func withIDs(n map[string]any, bases []string) ([]string, error) {
	var added []string
	for _, key := range []string{"$id", "id"} {
		id, _ := n[key].(string)
		id, _, _ = strings.Cut(id, "#")
		if id == "" {
			continue
		}
		own, err := joinAll(bases, id)
		if err != nil {
			return nil, err
		}
		added = append(added, own...)
	}
	all := slices.Concat(bases, added)
	slices.Sort(all)
	if all = slices.Compact(all); len(all) > maxSchemaBases {
		return nil, errors.New("too many relative $id are nested in it: write them as full URLs")
	}
	return all, nil
}

// joinAll leaves out what is no URL: the library refuses that without opening anything.
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
