package unsupported

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/helmfile/helmfile/pkg/environment"
	"github.com/helmfile/helmfile/pkg/state"
	"github.com/helmfile/helmfile/pkg/yaml"
)

// parseState decodes a state file as helmfile does.
func parseState(t *testing.T, text string) *state.HelmState {
	t.Helper()
	st := &state.HelmState{}
	if err := yaml.NewDecoder([]byte(text), true)(&st.ReleaseSetSpec); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	st.Env = environment.Environment{Name: "production"}
	return st
}

// release returns a state file with one release that has this setting.
func release(setting string) string {
	return "releases:\n- name: web\n  chart: ./web\n  " + setting + "\n"
}

func TestInState(t *testing.T) {
	const (
		commands = "the agent runs no external commands; "
		helm4    = "it needs Helm 4 and the agent contains Helm 3"
	)
	for name, test := range map[string]struct {
		state string
		want  []string // without the name of the file
	}{
		"nothing": {state: ""},
		"settings that the agent supports": {state: `
helmDefaults: {wait: true, atomic: true, timeout: 90, trackMode: helm, kubeContext: allowed}
repositories: [{name: charts, url: "https://charts.example"}]
releases:
- {name: web, chart: ./web, kubeContext: allowed, verify: true, trackMode: helm, postRenderer: "", values: [{note: "use ref+vault://kv/exec#/x"}]}
- {name: db, chart: ./db, jsonPatches: [], rollbackOnFailure: false, forceConflicts: false}
`},
		"hooks of a release": {
			state: release("hooks: [{name: migrate, events: [presync, postsync], command: ./migrate.sh}]"),
			want:  []string{"release web: hooks (migrate on [presync postsync]) is not supported: " + commands + "use a Helm hook in the chart"},
		},
		"hooks of the state": {
			state: "hooks: [{name: setup, events: [prepare], command: make}]\n",
			want:  []string{"state: hooks (setup on [prepare]) is not supported: " + commands + "use a Helm hook in the chart"},
		},
		"a hook that applies a file": {
			state: release("hooks: [{name: crds, events: [presync], kubectlApply: {filename: crds.yaml}}]"),
			want:  []string{"release web: hooks (crds on [presync]) is not supported: " + commands + "use a Helm hook in the chart"},
		},
		"a post-renderer": {
			state: release("postRenderer: ./render.sh"),
			want:  []string{"release web: postRenderer is not supported: " + commands + "use jsonPatches or strategicMergePatches"},
		},
		"a default post-renderer": {
			state: "helmDefaults: {postRenderer: ./render.sh}\n",
			want:  []string{"helmDefaults: postRenderer is not supported: " + commands + "use jsonPatches or strategicMergePatches"},
		},
		"another context, wherever a state can name one": {
			state: "kubeContext: one\nhelmDefaults: {kubeContext: two}\nenvironments: {production: {kubeContext: three}, test: {kubeContext: four}}\n" +
				release("kubeContext: five"),
			want: []string{
				"state: kubeContext: one is not supported: the agent works in one cluster only; remove it",
				"helmDefaults: kubeContext: two is not supported: the agent works in one cluster only; remove it",
				"environment production: kubeContext: three is not supported: the agent works in one cluster only; remove it",
				"release web: kubeContext: five is not supported: the agent works in one cluster only; remove it",
			},
		},
		"fields of Helm 4 in a release": {
			state: release("serverSide: \"true\"\n  forceConflicts: true\n  rollbackOnFailure: true"),
			want: []string{
				"release web: forceConflicts is not supported: " + helm4,
				"release web: rollbackOnFailure is not supported: " + helm4 + "; use atomic",
				"release web: serverSide is not supported: " + helm4,
			},
		},
		"fields of Helm 4 in the defaults": {
			state: "helmDefaults: {serverSide: \"false\", forceConflicts: true, rollbackOnFailure: true}\n",
			want: []string{
				"helmDefaults: forceConflicts is not supported: " + helm4,
				"helmDefaults: rollbackOnFailure is not supported: " + helm4 + "; use atomic",
				"helmDefaults: serverSide is not supported: " + helm4,
			},
		},
		"tracking by kubedog": {
			state: "helmDefaults: {trackMode: helm-legacy}\n" + release("trackMode: kubedog"),
			want: []string{
				"helmDefaults: trackMode: helm-legacy is not supported: use wait: true",
				"release web: trackMode: kubedog is not supported: use wait: true",
			},
		},
		"adopt": {
			state: release("adopt: [deployment/web]"),
			want:  []string{"release web: adopt is not supported: it needs the helm-x plugin; use takeOwnership"},
		},
		"a managed repository": {
			state: "repositories: [{name: charts, url: example.azurecr.io, managed: acr}]\n",
			want:  []string{"repository charts: managed: acr is not supported: it needs an external command; use oci: true with username and password"},
		},
		"verify for a patched chart": {
			state: release("verify: true\n  strategicMergePatches: [{kind: Deployment}]"),
			want: []string{"release web: verify with patches is not supported: helmfile patches the chart, and a patched chart cannot be verified; " +
				"remove verify or the patches"},
		},
		"a reference to a command that a template has put together": {
			state: release("values: [{a: [{b: \"x ref+exec://date\"}]}]\n  secrets: [\"ref+exec://date\"]\n  set: [{name: a, value: ref+EXEC://date}]\n  setString: [{name: b, value: ref+exec://date}]"),
			want: []string{
				"release web: ref+exec:// in values is not supported: " + noCommands,
				"release web: ref+exec:// in secrets is not supported: " + noCommands,
				"release web: ref+exec:// in set is not supported: " + noCommands,
				"release web: ref+exec:// in setString is not supported: " + noCommands,
			},
		},
		"all releases and fields": {
			state: "releases:\n- {name: web, chart: ./web, adopt: [a], postRenderer: x}\n- {name: db, chart: ./db, adopt: [b]}\n",
			want: []string{
				"release web: postRenderer is not supported: " + commands + "use jsonPatches or strategicMergePatches",
				"release web: adopt is not supported: it needs the helm-x plugin; use takeOwnership",
				"release db: adopt is not supported: it needs the helm-x plugin; use takeOwnership",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			for _, message := range test.want {
				want = append(want, "apps/helmfile.yaml: "+message)
			}
			if diff := cmp.Diff(want, InState(parseState(t, test.state), "apps/helmfile.yaml", "allowed")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncryptedValuesOfAnEnvironment(t *testing.T) {
	const want = "helmfile.yaml: environment production: a file of its values is still encrypted by sops"
	for name, env := range map[string]environment.Environment{
		"values":   {Values: map[string]any{"a": []any{"ENC[AES256_GCM,data:x]"}}},
		"defaults": {Defaults: map[string]any{"a": "ENC[AES256_GCM,data:x]"}},
	} {
		t.Run(name, func(t *testing.T) {
			st := parseState(t, "")
			st.Env = env
			st.Env.Name = "production"
			got := InState(st, "helmfile.yaml", "")
			if len(got) != 1 || !strings.HasPrefix(got[0], want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestPatchesChart(t *testing.T) {
	for setting, want := range map[string]bool{
		"values: [{a: 1}]": false,
		"namespace: other": false,
		"jsonPatches: []":  false,
		"jsonPatches: [{target: {kind: Deployment}}]":                   true,
		"strategicMergePatches: [{kind: Deployment}]":                   true,
		"transformers: [{kind: LabelTransformer}]":                      true,
		"dependencies: [{alias: db, chart: charts/db, version: 1.0.0}]": true,
		"forceNamespace: other":                                         true,
	} {
		if got := PatchesChart(parseState(t, release(setting)).Releases[0]); got != want {
			t.Errorf("%s: got %t", setting, got)
		}
	}
}

func TestInFile(t *testing.T) {
	const builtIn = " is not supported: the agent has Helm and kustomize built in; remove the line"
	for name, test := range map[string]struct {
		content string
		want    string // the beginning of the error, after the name of the file; empty if the file is allowed
	}{
		"an ordinary state file":   {"environments: {}\n---\nreleases: []\n", ""},
		"helmBinary":               {"releases: []\nhelmBinary: ./helm\n", "2: helmBinary" + builtIn},
		"kustomizeBinary":          {"# a\n\nkustomizeBinary : ./kustomize\nbases: []\n", "3: kustomizeBinary" + builtIn},
		"a binary in a later part": {"environments: {}\n---\nreleases: []\nhelmBinary: ./helm\n", "4: helmBinary" + builtIn},
		"a key below another one":  {"releases: []\nhelmDefaults:\n  helmBinary: ./helm\n", ""},
		"a values file":            {"helmBinary: ./helm\nimage: nginx\n", ""},
		"a command":                {"releases: []\na: {{ exec \"date\" list }}\n", "2: the template function exec is not supported: the agent runs no commands"},
		"a reference to a command": {"image: nginx\n\na: ref+exec://date\n", "3: ref+exec:// is not supported: the agent runs no external commands"},
	} {
		t.Run(name, func(t *testing.T) {
			err := InFile("apps/file.yaml", test.content)
			if test.want == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if want := "apps/file.yaml:" + test.want; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}
