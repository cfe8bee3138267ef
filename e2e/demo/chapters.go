package main

import "strings"

// chapter is one commit, or none, and one run of the agent on it.
type chapter struct {
	title string // empty for another run in the same chapter
	text  string
	// edit changes files of the last commit; nil commits nothing.
	edit    func(files map[string]string)
	message string
	diff    bool // show what the run would do first
	exit    int  // how the run must end
	witness []string
}

var chapters = []chapter{
	{
		title:   "First install",
		text:    "The repository declares three releases. The cluster has none of them.",
		exit:    0,
		witness: []string{"list"},
	},
	{
		title: "Nothing to do",
		text:  "The next run finds everything as declared and writes nothing.",
		exit:  0,
	},
	{
		title:   "A commit that changes one value",
		text:    "A commit sets two web servers. One release gets one new revision.",
		message: "web: run two servers",
		edit:    replace("environment.yaml", "webReplicas: 1", "webReplicas: 2"),
		diff:    true,
		exit:    0,
		witness: []string{"history", "web"},
	},
	{
		title:   "A broken release fails alone",
		text:    "A commit removes the worker's image by mistake, and changes the configuration of the database. The worker cannot be rendered. The database is upgraded.",
		message: "tune the database, and remove the worker's image",
		edit: all(
			replace("values/worker.yaml", "image: registry.example.com/shop/worker:1.4.2\n", ""),
			replace("values/database.yaml", `max_connections: "100"`, `max_connections: "200"`),
		),
		exit: 18,
	},
	{
		title:   "installed: false",
		text:    "A commit sets installed: false for the worker. The run uninstalls it.",
		message: "worker: uninstall",
		edit:    replace("helmfile.yaml", "installed: true", "installed: false"),
		exit:    0,
		witness: []string{"list"},
	},
	{
		title:   "No longer declared: marked",
		text:    "A commit removes the entries of the worker and of the web server. The worker is already uninstalled. The web server is only marked, because the commit may be an accident.",
		message: "remove the worker and the web server",
		edit:    all(replace("helmfile.yaml", worker, ""), replace("helmfile.yaml", web, "")),
		exit:    0,
	},
	{
		title:   "Declared again: unmarked",
		text:    "The commit was an accident. The next commit adds the entry again, and the web server is unmarked.",
		message: "bring the web server back",
		edit:    replace("helmfile.yaml", database, database+web),
		exit:    0,
	},
	{
		title:   "Removed on purpose: marked, and pruned by the next run",
		text:    "The first run marks the web server. The next run uninstalls it.",
		message: "remove the web server",
		edit:    replace("helmfile.yaml", web, ""),
		exit:    0,
	},
	{
		title:   "",
		exit:    0,
		witness: []string{"list"},
	},
	{
		title:   "An empty helmfile",
		text:    "A commit removes all entries. No run uninstalls a release until a person allows it.",
		message: "oops",
		edit:    func(files map[string]string) { files["helmfile.yaml"] = "releases: []\n" },
		exit:    19,
		witness: []string{"list"},
	},
}

// The entries of the example's helmfile after the worker was removed.
const (
	database = `  - name: database
    chart: ./charts/app
    values:
      - values/database.yaml

`
	web = `  - name: web
    chart: ./charts/app
    needs:
      - database
    values:
      - values/web.yaml.gotmpl

`
	worker = `  - name: worker
    chart: ./charts/app
    installed: false
    needs:
      - database
    values:
      - values/worker.yaml
`
)

func replace(file, old, with string) func(map[string]string) {
	return func(files map[string]string) { files[file] = strings.Replace(files[file], old, with, 1) }
}

func all(edits ...func(map[string]string)) func(map[string]string) {
	return func(files map[string]string) {
		for _, edit := range edits {
			edit(files)
		}
	}
}
