package helmshim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	helmrelease "helm.sh/helm/v3/pkg/release"
)

// document is one rendered object, or one CRD file, and its template.
type document struct {
	source  string // the path of the template, such as chart/templates/service.yaml
	content string
}

// String returns the document as Helm prints it.
func (d document) String() string {
	return fmt.Sprintf("---\n# Source: %s\n%s\n", d.source, strings.TrimRight(d.content, "\n"))
}

// documents lists all documents in the same order as Helm: CRDs, objects, hooks.
func (f *templateFlags) documents(r *helmrelease.Release) ([]document, error) {
	var docs []document
	if f.includeCRDs {
		for _, crd := range r.Chart.CRDObjects() {
			docs = append(docs, document{crd.Filename, string(crd.File.Data)})
		}
	}
	docs = append(docs, splitManifest(r.Manifest)...)
	for _, h := range r.Hooks {
		if f.noHooks || f.skipTests && isTest(h) {
			continue
		}
		docs = append(docs, document{h.Path, h.Manifest})
	}
	return filterShowOnly(docs, f.showOnly)
}

const separator = "---\n# Source: "

// splitManifest splits a manifest into the objects that Helm joined. No object contains the separator, because Helm splits the output
// of templates at every such line. Helm does not split CRD files, so they are not part of the manifest.
func splitManifest(manifest string) []document {
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

// filterShowOnly returns the documents that match a --show-only pattern, in the order of the patterns.
func filterShowOnly(docs []document, patterns []string) ([]document, error) {
	if len(patterns) == 0 {
		return docs, nil
	}
	var matching []document
	for _, p := range patterns {
		before := len(matching)
		for _, d := range docs {
			_, inChart, _ := strings.Cut(d.source, "/")
			if ok, _ := filepath.Match(p, inChart); ok { // a malformed pattern matches nothing, and the error below says so
				matching = append(matching, d)
			}
		}
		if len(matching) == before {
			return nil, fmt.Errorf("could not find template %s in chart", p)
		}
	}
	return matching, nil
}

// writeFiles writes each document to the path of its template below dir. It prints the same lines as Helm, because chartify reads them.
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

func writeDocument(file string, d document, appendTo bool) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	mode := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if appendTo {
		mode = os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(file, mode, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, d.String())
	return errors.Join(err, f.Close())
}
