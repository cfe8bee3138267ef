package render

import (
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
)

// Request is one chart to render for one release.
type Request struct {
	Chart                *chart.Chart // Helm has processed its dependencies
	Values               map[string]any
	Release              chartutil.ReleaseOptions
	Capabilities         *chartutil.Capabilities
	EnableDNS            bool
	SkipSchemaValidation bool
}

// File is a template, a rendered text, or another file of a chart. The name may be invalid UTF-8.
type File struct{ Name, Data []byte }

// settings are the first message to a renderer.
type settings struct {
	Workspace string // contains the socket of the agent
	Sandbox   string
	Memory    int64
	Readable  []string
	Proxy     int
	Ports     []int // of servers on this machine that allowRemote lists: clients use no proxy for them
}

// task is a [Request] as a message.
type task struct {
	Chart                tree
	Values               map[string]any
	Release              chartutil.ReleaseOptions
	Capabilities         *chartutil.Capabilities
	EnableDNS            bool
	SkipSchemaValidation bool
}

// answer is the result of a task.
type answer struct {
	Files  []File
	Reason string // Helm's error, if Failed
	Failed bool

	Exhausted bool // the process has too little memory left for another chart
}

// tree is a chart with its dependencies as a message.
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
