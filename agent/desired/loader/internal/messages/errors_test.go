package messages

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// twoParts is a state file whose second part has an unknown field in line 6.
const twoParts = "environments:\n  default: {}\n---\nreleases:\n  - name: web\n    vallues: []\n"

// translator allows paths in the checkout only. helmfile has read the two parts from helmfile.yaml.
var translator = Translator{
	Dirs: []string{"/tmp/run/checkout", "/tmp/run"},
	CheckPath: func(path string) error {
		if strings.HasPrefix(path, "/tmp/run/") {
			return nil
		}
		return errors.New(path + " is outside of the repository")
	},
	LastRead: func(name string) string {
		if name == "helmfile.yaml" {
			return twoParts
		}
		return ""
	},
}

func TestTranslate(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"paths are those in the checkout": {
			"values file matching \"/tmp/run/checkout/web.yaml\" does not exist",
			"values file matching \"web.yaml\" does not exist",
		},
		"a field is placed in the file, not in its part": {
			"in ./helmfile.yaml: failed to read helmfile.yaml: reading document at index 1. Started seeing this since Helmfile v1? " +
				"Add the .gotmpl file extension: yaml: unmarshal errors:\n  line 3: field vallues not found in type state.ReleaseSpec",
			"in helmfile.yaml: line 6: field vallues is not known",
		},
		"a template's error is placed in the file, not in its part": {
			"error during helmfile.yaml.part.1 parsing: template: stringTemplate:2:5: executing \"stringTemplate\" at <.Values.a>: map has no entry",
			"render the template helmfile.yaml: line 5:5: at <.Values.a>: map has no entry",
		},
		"a list of values": {
			"web.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type chartutil.Values",
			"web.yaml: it contains a list, but must contain keys with values",
		},
		"of a child process, what it says": {
			"exit status 1\n\nCOMMAND:\n  kustomize build /tmp/run/tmp/web\n\nOUTPUT:\n  Error: no such key",
			"no such key",
		},
		"a path in the workspace": {
			"open /tmp/run/loader/tmp/values1: no such file or directory",
			"open loader/tmp/values1: no such file or directory",
		},
		"no state file": {
			"no state file found. It must be named helmfile.d/*.yaml or helmfile.yaml, otherwise specified with the --file flag or HELMFILE_FILE_PATH environment variable",
			"no state file found. Name it helmfile.d/*.yaml or helmfile.yaml, or set path to its path",
		},
		"a value of a wrong type": {
			"failed to read helmfile.yaml: reading document at index 1: yaml: unmarshal errors:\n  line 2: cannot unmarshal !!str `web` into int",
			"failed to read helmfile.yaml: line 5: cannot unmarshal !!str `web` into int",
		},
		"a field in a file with an unknown content": {
			"in other.yaml: failed to read other.yaml: reading document at index 1: yaml: unmarshal errors:\n  line 3: field vallues not found in type state.ReleaseSpec",
			"in other.yaml: line 3: field vallues is not known",
		},
		"a field in a rendered template, which has other lines": {
			"failed to read helmfile.yaml.gotmpl: reading document at index 1: line 3: field vallues not found in type state.ReleaseSpec",
			"failed to read helmfile.yaml.gotmpl: line 3: field vallues is not known",
		},
		"an error in the first part of a template": {
			"error during helmfile.yaml.part.0 parsing: template: stringTemplate:2:5: x",
			"render the template helmfile.yaml: line 2:5: x",
		},
		"an error in a template of a release": {
			"failed executing release templates: because of template: stringTemplate:1:3: executing \"stringTemplate\" at <.x>: nil",
			"failed executing release templates: line 1:3: at <.x>: nil",
		},
		"a text in place of values": {
			"error converting YAML to JSON: json: cannot unmarshal string into Go value of type map[string]interface {}",
			"it contains a text, but must contain keys with values",
		},
		"a git repository": {
			"get: git must be available and on the PATH",
			"it is in another git repository, and the agent's container has no git: use an https archive, a chart in an OCI registry or a chart " +
				"repository, or copy it into this repository",
		},
		"a path that the kernel refuses": {
			"read values: open /etc/shadow: permission denied",
			"read values: /etc/shadow is outside of the repository",
		},
		"a program that the kernel refuses": {
			"fork/exec /bin/date: permission denied",
			"/bin/date is outside of the repository",
		},
		"a file of the repository without permission": {
			"open /tmp/run/checkout/a.yaml: permission denied",
			"open a.yaml: permission denied",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := translator.Translate(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	noKey := errors.New("cannot decrypt /tmp/run/checkout/a.yaml: no key")
	for name, test := range map[string]struct {
		err, unreadable error
		want            string
		code            exit.Code
	}{
		"a helmfile that is wrong": {
			err: errors.New("\n/tmp/run/checkout/helmfile.yaml is empty\n"), want: "load helmfile: helmfile.yaml is empty", code: exit.DesiredInvalid,
		},
		"a secret, of which helmfile says nothing": {
			err: errors.New("1 secret failed"), unreadable: noKey,
			want: "load helmfile: 1 secret failed: cannot decrypt a.yaml: no key", code: exit.SecretsUnreadable,
		},
		"a secret, of which helmfile gives the reason": {
			err: errors.New("in helmfile.yaml: cannot decrypt a.yaml: no key"), unreadable: noKey,
			want: "load helmfile: in helmfile.yaml: cannot decrypt a.yaml: no key", code: exit.SecretsUnreadable,
		},
		"a file of secrets that is outside": {
			err: errors.New("expand values: /etc/x is outside"), unreadable: errors.New("/etc/x is outside"),
			want: "load helmfile: expand values: /etc/x is outside", code: exit.SecretsUnreadable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := translator.Explain(test.err, test.unreadable)
			if fmt.Sprint(err) != test.want || exit.Of(err) != test.code {
				t.Errorf("got %v with %d, want %s with %d", err, exit.Of(err), test.want, test.code)
			}
		})
	}
}

// TestExplainTheEndOfTheRun checks that the end of the run is not reported as an error of the helmfile.
func TestExplainTheEndOfTheRun(t *testing.T) {
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
		err := fmt.Errorf("pull chart: %w", cause)
		if got := translator.Explain(err, errors.New("no key")); !errors.Is(got, cause) || exit.Of(got) == exit.DesiredInvalid || exit.Of(got) == exit.SecretsUnreadable {
			t.Errorf("got %v with %d", got, exit.Of(got))
		}
	}
}
