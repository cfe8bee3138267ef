package attacks

import (
	"crypto/rand"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// The canaries of the files outside of the checkout.
const (
	InFile  = "a file"
	InToken = "a token file"
	InChart = "a chart elsewhere"
)

// Outside is a directory that the agent must not read or change.
type Outside struct {
	dir      string
	Canaries map[string]string // by their place
	before   map[string]string // its files before the attack
}

// NewOutside fills a directory. The agent may see it at another path.
func NewOutside(dir, seenAt string) (*Outside, error) {
	o := &Outside{dir: dir, Canaries: map[string]string{
		InFile:  "file-" + rand.Text(),
		InToken: "token-" + rand.Text(),
		InChart: "chart-" + rand.Text(),
	}}
	inChart := o.Canaries[InChart]
	err := WriteFiles(dir, map[string]string{
		"canary.yaml":            "canary: " + o.Canaries[InFile] + "\n",
		"token":                  o.Canaries[InToken],
		"chart/Chart.yaml":       "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
		"chart/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: elsewhere}\ndata: {canary: " + inChart + "}\n",
		"kustomization.yaml":     "resources: [object.yaml]\n",
		"object.yaml":            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: outside}\ndata: {canary: " + inChart + "}\n",
		"helmfile.yaml":          "releases: [{name: outside, chart: ./chart}]\n",
		"markers/none":           "A program that runs writes beside this file.\n",
		"program":                "#!/bin/sh\necho ran > " + path.Join(seenAt, "markers/program") + "\n",
	})
	if err != nil {
		return nil, err
	}
	o.before, err = contents(dir)
	return o, err
}

// Changed returns the names of files that were created, changed or deleted.
func (o *Outside) Changed() ([]string, error) {
	after, err := contents(o.dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for name, content := range after {
		if was, known := o.before[name]; !known || was != content {
			names = append(names, name)
		}
	}
	for name := range o.before {
		if _, remains := after[name]; !remains {
			names = append(names, name+" is gone")
		}
	}
	return names, nil
}

func contents(dir string) (map[string]string, error) {
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !entry.Type().IsRegular():
			all[path] = entry.Type().String()
			return nil
		}
		content, err := os.ReadFile(path)
		all[path] = string(content)
		return err
	})
	return all, err
}
