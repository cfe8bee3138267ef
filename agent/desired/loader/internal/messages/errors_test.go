package messages

import "testing"

func TestTranslate(t *testing.T) {
	const twoParts = "environments:\n  default: {}\n---\nreleases:\n  - name: web\n    vallues: []\n"
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
	} {
		t.Run(name, func(t *testing.T) {
			translator := Translator{
				Dirs:      []string{"/tmp/run/checkout", "/tmp/run"},
				CheckPath: func(string) error { return nil },
				LastRead:  func(string) string { return twoParts },
			}
			if got := translator.Translate(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestDecryptionFailureInTheLog(t *testing.T) {
	const message = "command \"helm\" exited with non-zero status:\n\nSTDERR:\n  Error: decrypt a.yaml: cannot decrypt a.yaml: no key\n  Group 0\n\n" +
		"COMBINED OUTPUT:\n  Error"
	if got, want := decryptionFailure(message), "cannot decrypt a.yaml: no key\nGroup 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
