//go:build linux

package node

import (
	"fmt"
	"strings"
	"testing"
)

// token is the path of the pod's token.
const token = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// escapes has templates that read files that the loader must not read in a pod.
var escapes = []struct{ tries, helmfile string }{
	{"the token, read by a template", `{{ readFile "` + token + `" }}`},
	{"the token, by a relative path", `{{ readFile "../../../../../../../..` + token + `" }}`},
	{"the token, by a reference", `{{ fetchSecretValue "ref+file://` + token + `" }}`},
	{"the agent's environment", `{{ readFile "/proc/1/environ" }}`},
	{"the password of git", `{{ requiredEnv "HELMFILE_AGENT_GIT_PASSWORD" }}`},
	{"the names of Secrets that are mounted", `{{ readDir "/var/run/secrets/kubernetes.io/serviceaccount" }}`},
	{"the API server", `{{ fetchSecretValue "ref+vault://kv/x?address=https://10.96.0.1:443#/a" }}`},
}

// TestSandbox checks that the kernel confines the loader in a pod of the chart, with the pod's seccomp profile, and that a hostile
// repository cannot read the pod's secrets.
func TestSandbox(t *testing.T) {
	t.Parallel()
	p := newTestNamespace(t)
	p.declares(web)
	a := p.install("gitops", values{"config": values{"sandbox": "required"}})
	a.converges("honest")
	if story := p.story(); !strings.Contains(story, "files and programs, TCP, signals and abstract sockets") {
		t.Errorf("the output does not say what the kernel protects:\n%s", story)
	}
	for i, escape := range escapes {
		p.commit(map[string]string{
			"helmfile.yaml":      "helmfiles: [escape.yaml.gotmpl]\n",
			"escape.yaml.gotmpl": "# " + escape.helmfile + "\nreleases: []\n",
		}, escape.tries)
		if o := a.run(fmt.Sprintf("escape-%d", i)); o.String() != notRetried+" [14]" {
			t.Errorf("%s: %s: %s", escape.tries, o, o.message)
		}
	}
	story := p.story()
	for what, text := range map[string]string{"a token": "eyJhbGciOi", "a password": password} {
		if strings.Contains(story, text) {
			t.Errorf("%s is shown:\n%s", what, story)
		}
	}
}
