//go:build linux

package node

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/e2e/attacks"
)

const (
	sampled      = 18 // without attacks.All, one in this number of attacks runs
	besides      = 5  // number of attacks that run in parallel
	leastAttacks = 150
	leftOut      = 4 // number of attacks that [worksInPods] excludes
)

// turn limits the number of attacks that run in parallel, because pods share few processors and the agent's timeout must not end a run.
var turn = make(chan struct{}, besides)

// TestEscapeAttempts runs the agent on hostile repositories, in Jobs of the chart, and searches for leaked secrets and other damage.
func TestEscapeAttempts(t *testing.T) {
	t.Parallel()
	all, err := attacks.Read("../attacks")
	if err != nil {
		t.Fatal(err)
	}
	suitable := slices.DeleteFunc(slices.Clone(all), func(a attacks.Attack) bool { return !worksInPods(a) })
	if got := len(all) - len(suitable); got != leftOut || len(suitable) < leastAttacks {
		t.Fatalf("%d attacks run and %d are left out, want at least %d and exactly %d", len(suitable), got, leastAttacks, leftOut)
	}
	for i, attack := range suitable {
		if i%sampled != 0 && os.Getenv(attacks.All) == "" {
			continue
		}
		t.Run(attack.Name, func(t *testing.T) {
			t.Parallel()
			takeTurn(t)
			newVictim(t, attack).expectDefended()
		})
	}
}

// worksInPods excludes attacks that cannot run in a pod, because they need a kubeconfig or a checkout on the same machine (for files of a
// gigabyte).
func worksInPods(a attacks.Attack) bool {
	return len(a.Sparse) == 0 && !a.Mentions(attacks.KubeconfigPlaceholder)
}

func takeTurn(t *testing.T) {
	turn <- struct{}{}
	t.Cleanup(func() { <-turn })
}

// TestEscapeAttemptsAreSeen proves that the search finds each kind of effect, and that a harmless repository has none.
func TestEscapeAttemptsAreSeen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*victim)
		want  func(*victim) []string // the prefixes of the expected findings
	}{
		"an honest repository": {
			spoil: func(*victim) {},
			want:  func(*victim) []string { return nil },
		},
		"each canary in a value": {
			spoil: func(v *victim) { v.attack.Repo["public.yaml"] = v.text(v.canaries) },
			want: func(v *victim) (all []string) {
				for holder := range v.canaries {
					all = append(all, attacks.Canary+": "+holder+" in the configmaps", attacks.Canary+": "+holder+" in Helm's records")
				}
				return all
			},
		},
		"a canary in an error": {
			spoil: func(v *victim) {
				v.attack.Repo["helmfile.yaml"] = "releases: [{name: web, chart: ./" + v.canaries[attacks.InFile] + "}]\n"
			},
			want: func(*victim) []string {
				in := attacks.Canary + ": " + attacks.InFile + " in the "
				return []string{in + "logs", in + "termination message", in + "pods", in + "events"}
			},
		},
		"what the operator permits": { // proves that the key and the variables are in the pod
			spoil: func(v *victim) {
				v.attack.Args = []string{"--template-env", "CANARY_ENV", "--template-env", "VAULT_TOKEN"}
				v.attack.Hidden = []string{"opened with the key"}
				delete(v.attack.Repo, "helmfile.yaml")
				v.attack.Repo["helmfile.yaml.gotmpl"] = `releases:
- name: web
  chart: ./charts/show
  values: [{a: {{ requiredEnv "CANARY_ENV" }}, b: {{ requiredEnv "VAULT_TOKEN" }}}]
  secrets: [secret.yaml]
`
				v.attack.Repo["secret.yaml"] = encrypt(v.t, v.opens, "c: opened with the key\n")
			},
			want: func(*victim) []string {
				in := attacks.Canary + ": "
				return []string{in + "an environment variable in the configmaps", in + "the token of a key store in the configmaps", attacks.Hidden}
			},
		},
		"a hidden text, a request and a file": {
			spoil: func(v *victim) {
				v.attack.Hidden = []string{"to everyone"}
				v.must(get(v.listener.URL + "/values.yaml"))
				v.must(os.WriteFile(filepath.Join(v.dir, "markers/new"), []byte("ran"), 0o600))
			},
			want: func(*victim) []string {
				return []string{attacks.Hidden + `: "to everyone" in the configmaps`, attacks.Reached + ": GET /values.yaml", attacks.Written + ": "}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			takeTurn(t)
			v := newVictim(t, attacks.Attack{Tries: "Nothing.", Seen: []string{`"converged"`}, Others: []string{"web"}, Repo: map[string]string{
				"helmfile.yaml": "releases: [{name: web, chart: ./charts/show, values: [public.yaml]}]\n",
				"public.yaml":   "shown: to everyone\n",
			}})
			c.spoil(v)
			o := v.attacked()
			wrong := v.attack.Judge(o, v.words(), nil)
			want := c.want(v)
			if (len(want) == 0) != (len(wrong) == 0) {
				t.Errorf("Judge returned %v", wrong)
			}
			expectFindings(t, o.Findings, want)
		})
	}
}

func expectFindings(t *testing.T, found attacks.Findings, want []string) {
	t.Helper()
	var all []string
	for kind, details := range found {
		for _, detail := range details {
			all = append(all, kind+": "+detail)
		}
	}
	for _, beginning := range want {
		if !slices.ContainsFunc(all, func(finding string) bool { return strings.HasPrefix(finding, beginning) }) {
			t.Errorf("%q is not among the findings:\n%s", beginning, strings.Join(all, "\n"))
		}
	}
}

func get(url string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
