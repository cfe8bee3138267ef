package helmshim

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	helmrelease "helm.sh/helm/v3/pkg/release"
)

// document is one rendered object, or one CRD file, and the template it comes from.
type document struct {
	source  string // chart/templates/…
	content string
}

// String is the document as Helm prints it.
func (d document) String() string {
	return fmt.Sprintf("---\n# Source: %s\n%s\n", d.source, strings.TrimRight(d.content, "\n"))
}

// documents are in Helm's order: CRDs, objects, hooks.
func (f *templateFlags) documents(r *helmrelease.Release) ([]document, error) {
	var docs []document
	if f.includeCRDs {
		for _, crd := range r.Chart.CRDObjects() {
			docs = append(docs, document{crd.Filename, string(crd.File.Data)})
		}
	}
	docs = append(docs, split(r.Manifest)...)
	for _, h := range r.Hooks {
		if f.noHooks || f.skipTests && isTest(h) {
			continue
		}
		docs = append(docs, document{h.Path, h.Manifest})
	}
	return only(docs, f.showOnly)
}

const separator = "---\n# Source: "

// split undoes how Helm joins a manifest. No object holds the separator: Helm has split the templates' output at every
// line that begins with it. (CRD files are not split by Helm, and so do not go through here.)
func split(manifest string) []document {
	var docs []document
	for part := range strings.SplitSeq("\n"+manifest, "\n"+separator) {
		source, content, found := strings.Cut(part, "\n")
		if found && source != "" {
			docs = append(docs, document{source, content})
		}
	}
	return docs
}

func isTest(h *helmrelease.Hook) bool {
	for _, e := range h.Events {
		if e == helmrelease.HookTest {
			return true
		}
	}
	return false
}

// only keeps the documents that match a --show-only pattern, in the order of the patterns.
func only(docs []document, patterns []string) ([]document, error) {
	if len(patterns) == 0 {
		return docs, nil
	}
	var kept []document
	for _, p := range patterns {
		before := len(kept)
		for _, d := range docs {
			_, inChart, _ := strings.Cut(d.source, "/")
			if ok, _ := filepath.Match(p, inChart); ok { // a malformed pattern matches nothing, which is reported
				kept = append(kept, d)
			}
		}
		if len(kept) == before {
			return nil, fmt.Errorf("could not find template %s in chart", p)
		}
	}
	return kept, nil
}

// writeFiles writes each document to its template's path below dir and reports it as Helm does: chartify reads that.
func writeFiles(docs []document, dir string, stdout io.Writer) error {
	written := map[string]bool{}
	for _, d := range docs {
		if !filepath.IsLocal(d.source) {
			return fmt.Errorf("template path %q leads out of the output directory", d.source)
		}
		file := dir + string(filepath.Separator) + d.source
		if err := writeDocument(file, d, written[file]); err != nil {
			return err
		}
		written[file] = true
		fmt.Fprintf(stdout, "wrote %s\n", file)
	}
	return nil
}

func writeDocument(file string, d document, more bool) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	mode := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if more {
		mode = os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(file, mode, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(f, d.String()); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
