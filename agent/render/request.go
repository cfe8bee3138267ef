package render

import (
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
)

// Request is one chart to render for one release.
type Request struct {
	Chart                *chart.Chart // whose dependencies Helm has processed
	Values               map[string]any
	Release              chartutil.ReleaseOptions
	Capabilities         *chartutil.Capabilities
	EnableDNS            bool
	SkipSchemaValidation bool
}

// File is a template, a rendered one, or any other file of a chart. A name need not be a valid text.
type File struct{ Name, Data []byte }

// settings are the first thing that a child is told.
type settings struct {
	Workspace string // where the agent's socket is
	Sandbox   string
	Memory    int64
	Readable  []string
	Proxy     int
	Ports     []int // of permitted servers on this machine, which clients reach without a proxy
}

// task is a [Request] as it is sent.
type task struct {
	Chart                tree
	Values               map[string]any
	Release              chartutil.ReleaseOptions
	Capabilities         *chartutil.Capabilities
	EnableDNS            bool
	SkipSchemaValidation bool
}

// answer is what became of a task.
type answer struct {
	Files  []File
	Reason string // why there are no files, in Helm's words
	Failed bool
	Spent  bool // the process should not render another chart
}

// tree is a chart as data.
type tree struct {
	Metadata         *chart.Metadata
	Templates, Files []File
	Values           map[string]any
	Schema           []byte
	Dependencies     []tree
}

func treeOf(c *chart.Chart) tree {
	t := tree{Metadata: c.Metadata, Templates: filesOf(c.Templates), Files: filesOf(c.Files), Values: c.Values, Schema: c.Schema}
	for _, dependency := range c.Dependencies() {
		t.Dependencies = append(t.Dependencies, treeOf(dependency))
	}
	return t
}

func (t tree) chart() *chart.Chart {
	c := &chart.Chart{Metadata: t.Metadata, Templates: chartFiles(t.Templates), Files: chartFiles(t.Files), Values: t.Values, Schema: t.Schema}
	for _, dependency := range t.Dependencies {
		c.AddDependency(dependency.chart())
	}
	return c
}

func filesOf(files []*chart.File) []File {
	var all []File
	for _, f := range files {
		if f != nil {
			all = append(all, File{Name: []byte(f.Name), Data: f.Data})
		}
	}
	return all
}

func chartFiles(files []File) []*chart.File {
	var all []*chart.File
	for _, f := range files {
		all = append(all, &chart.File{Name: string(f.Name), Data: f.Data})
	}
	return all
}
