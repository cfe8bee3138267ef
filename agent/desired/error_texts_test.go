package desired

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// aRelease declares a release with one more line, such as its values.
func aRelease(line string) string { return "releases:\n- name: web\n  chart: ./web\n  " + line + "\n" }

// environment declares an environment in the first part of a state file, so that the lines of the second part are counted anew.
const environment = "environments:\n  default: {}\n---\n"

// TestHelmfilesWords loads what helmfile refuses, and fails when helmfile, Helm, kustomize or a YAML library change the words that the
// loader looks for. docs/error-texts.md lists them.
func TestHelmfilesWords(t *testing.T) {
	for name, is := range map[string]struct {
		files map[string]string
		want  string // the whole error
	}{
		"no state file": {nil,
			"load helmfile: no state file found. Name it helmfile.d/*.{yaml,yml,yaml.gotmpl,yml.gotmpl}, helmfile.yaml, or helmfile.yaml.gotmpl, or set path to its path"},
		"an unknown field, in the second part": {map[string]string{"helmfile.yaml": environment + aRelease("vallues: []")},
			"load helmfile: in helmfile.yaml: line 7: field vallues is not known"},
		"a value of another type, in the second part": {map[string]string{"helmfile.yaml": environment + "releases: web\n"},
			"load helmfile: in helmfile.yaml: line 4: cannot unmarshal !!str `web` into []state.ReleaseSpec"},
		"a state file that is not YAML": {map[string]string{"helmfile.yaml": aRelease("values: [")},
			"load helmfile: in helmfile.yaml: line 4: did not find expected node content"},
		"a template that fails, in the second part": {map[string]string{"helmfile.yaml.gotmpl": environment + aRelease("version: {{ .Values.a.b }}")},
			`load helmfile: in ./helmfile.yaml.gotmpl: render the template helmfile.yaml.gotmpl: line 7:21: at <.Values.a.b>: map has no entry for key "a"`},
		"a template of values that fails": {map[string]string{"helmfile.yaml": aRelease("values: [v.yaml.gotmpl]"), "v.yaml.gotmpl": "a: 1\nb: {{ .Values.a.b }}\n"},
			`load helmfile: in ./helmfile.yaml: failed processing release web: failed to render values files "v.yaml.gotmpl": ` +
				`failed to render [v.yaml.gotmpl], line 2:13: at <.Values.a.b>: map has no entry for key "a"`},
		"values that are a list": {map[string]string{"helmfile.yaml": aRelease("values: [v.yaml]"), "v.yaml": "- a\n"},
			"load helmfile: in ./helmfile.yaml: failed processing release web: v.yaml: it contains a list, but must contain keys with values"},
		"values that are a text": {map[string]string{"helmfile.yaml": aRelease("values: [v.yaml]"), "v.yaml": "text\n"},
			"load helmfile: in ./helmfile.yaml: failed processing release web: v.yaml: it contains a text, but must contain keys with values"},
		"values that are not YAML": {map[string]string{"helmfile.yaml": aRelease("values: [v.yaml]"), "v.yaml": "a: b: c\n"},
			"load helmfile: in ./helmfile.yaml: failed processing release web: v.yaml: yaml: mapping values are not allowed in this context"},
		"values in another git repository": {map[string]string{"helmfile.yaml": aRelease("values: ['git::https://git.example.com/shop/config.git@values.yaml?ref=main']")},
			"load helmfile: in ./helmfile.yaml: failed processing release web: it is in another git repository, and the agent's container has no git: " +
				"use an https archive, a chart in an OCI registry or a chart repository, or copy it into this repository"},
		"secrets that the child cannot decrypt": {map[string]string{"helmfile.yaml": aRelease("secrets: [s.yaml]"), "s.yaml": "a: b\n"},
			"load helmfile: in ./helmfile.yaml: failed processing release web: cannot decrypt s.yaml: it is not encrypted by sops: encrypt it, or move it from secrets to values"},
		"secrets of the environment, whose reason is only in the log": {map[string]string{"helmfile.yaml": "environments:\n  default:\n    secrets: [s.yaml]\n---\nreleases: []\n", "s.yaml": "a: b\n"},
			"load helmfile: in helmfile.yaml: failed loading environment secrets with 1 errors: cannot decrypt s.yaml: it is not encrypted by sops: encrypt it, or move it from secrets to values"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := load(t, request(t, withChart(is.files))); fmt.Sprint(err) != is.want {
				t.Errorf("got  %v\nwant %s", err, is.want)
			}
		})
	}
}

func withChart(files map[string]string) map[string]string {
	all := map[string]string{"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n"}
	maps.Copy(all, files)
	return all
}

// TestHelmfilesWordsForABrokenRelease is about errors of single releases.
func TestHelmfilesWordsForABrokenRelease(t *testing.T) {
	for name, is := range map[string]struct {
		files             map[string]string
		want, doesNotHave string
	}{
		"a chart in another git repository": {map[string]string{"helmfile.yaml": "releases:\n- name: web\n  chart: git::https://git.example.com/shop/charts.git@web?ref=main\n"},
			"it is in another git repository", "must be available"},
		"a child that fails": {map[string]string{"helmfile.yaml": "releases:\n- name: web\n  chart: ./web\n", "web/kustomization.yaml": "resources: [missing.yaml]\n"},
			"web/missing.yaml: no such file or directory", "COMMAND"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := load(t, request(t, is.files))
			if err != nil || len(set.Releases) != 1 || set.Releases[0].Broken == nil {
				t.Fatalf("got %+v, %v", set.Releases, err)
			}
			if got := set.Releases[0].Broken.Error(); !strings.Contains(got, is.want) || strings.Contains(got, is.doesNotHave) {
				t.Errorf("got %s, want %q and not %q", got, is.want, is.doesNotHave)
			}
		})
	}
}

// TestHelmfilesWordsForAMissingFile: helmfile says it only in its log.
func TestHelmfilesWordsForAMissingFile(t *testing.T) {
	set, err := load(t, request(t, map[string]string{"helmfile.yaml": "missingFileHandler: Warn\nhelmfiles: [more.yaml]\nreleases: []\n"}))
	if err != nil || fmt.Sprint(set.SkippedFiles) != "[more.yaml does not exist]" {
		t.Errorf("got %q, %v", set.SkippedFiles, err)
	}
}
