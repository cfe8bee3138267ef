package chart

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
)

// maxSchemaDepth bounds the nesting of a schema.
const maxSchemaDepth = 500

// checkSchemas refuses values schemas that refer to other documents: Helm reads those from any file or host that this process can reach.
// The meta schemas of json-schema.org are part of Helm's library. Hosts that the policy permits may be asked.
func (s *Store) checkSchemas(c *helmchart.Chart) error {
	if len(c.Schema) > 0 {
		var document any
		if err := json.Unmarshal(c.Schema, &document); err != nil {
			return nil // Helm says so, if it needs the schema
		}
		base := &url.URL{Scheme: "file", Path: "/values.schema.json"}
		known := map[string]bool{base.String(): true}
		identify(document, base, known, 0)
		if err := s.checkReferences(document, base, known, 0); err != nil {
			return fmt.Errorf("values.schema.json of chart %s: %w", c.Name(), err)
		}
	}
	for _, dependency := range c.Dependencies() {
		if err := s.checkSchemas(dependency); err != nil {
			return err
		}
	}
	return nil
}

// identify notes the documents that a schema holds, by their $id.
func identify(node any, base *url.URL, known map[string]bool, depth int) {
	if depth > maxSchemaDepth {
		return // checkReferences refuses it
	}
	switch n := node.(type) {
	case map[string]any:
		base = baseOf(n, base)
		known[withoutFragment(base)] = true
		for _, child := range n {
			identify(child, base, known, depth+1)
		}
	case []any:
		for _, child := range n {
			identify(child, base, known, depth+1)
		}
	}
}

func (s *Store) checkReferences(node any, base *url.URL, known map[string]bool, depth int) error {
	if depth > maxSchemaDepth {
		return fmt.Errorf("it is nested more than %d levels deep", maxSchemaDepth)
	}
	switch n := node.(type) {
	case map[string]any:
		base = baseOf(n, base)
		for key, child := range n {
			reference, isText := child.(string)
			if isText && (key == "$ref" || key == "$dynamicRef" || key == "$recursiveRef" || key == "$schema") {
				if err := s.checkReference(reference, base, known); err != nil {
					return err
				}
			}
			if err := s.checkReferences(child, base, known, depth+1); err != nil {
				return err
			}
		}
	case []any:
		for _, child := range n {
			if err := s.checkReferences(child, base, known, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) checkReference(reference string, base *url.URL, known map[string]bool) error {
	at, err := base.Parse(reference)
	if err != nil {
		return fmt.Errorf("%q is no reference: %w", reference, err)
	}
	web := at.Scheme == "http" || at.Scheme == "https"
	switch {
	case known[withoutFragment(at)], at.Scheme == "urn":
		return nil
	case web && strings.EqualFold(at.Hostname(), "json-schema.org"):
		return nil
	case web && s.policy.PermitsHost(at.Host):
		return nil
	case web:
		return fmt.Errorf("it refers to %s, and the repository may not make the agent reach %s: copy the schema into the chart, or add the host to the setting allowRemote", publicURL(at.String()), at.Host)
	}
	return fmt.Errorf("it refers to the document %s: copy that into the schema", reference)
}

// baseOf is what references within a node are relative to.
func baseOf(node map[string]any, base *url.URL) *url.URL {
	for _, key := range []string{"$id", "id"} {
		if id, ok := node[key].(string); ok {
			if own, err := base.Parse(id); err == nil {
				return own
			}
		}
	}
	return base
}

func withoutFragment(u *url.URL) string {
	plain := *u
	plain.Fragment, plain.RawFragment = "", ""
	return plain.String()
}
