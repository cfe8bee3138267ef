package rbac

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorization "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
)

// apiServer answers questions about rights, and records them.
type apiServer struct {
	mu      sync.Mutex
	refuses []string // such as "delete configmaps" for any name, or "delete configmaps/settings"
	fails   bool
	asked   []string
}

func (a *apiServer) answer(action clienttesting.Action) (bool, runtime.Object, error) {
	review := action.(clienttesting.CreateAction).GetObject().(*authorization.SelfSubjectAccessReview).DeepCopy()
	of := review.Spec.ResourceAttributes
	question := of.Verb + " " + of.Resource
	if of.Name != "" {
		question += "/" + of.Name
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, question)
	if a.fails {
		return true, nil, errors.New("connection refused")
	}
	review.Status.Allowed = !slices.Contains(a.refuses, question)
	return true, review, nil
}

func (a *apiServer) reviewer() *Reviewer {
	client := fake.NewClientset()
	client.PrependReactor("create", "selfsubjectaccessreviews", a.answer)
	c := &kube.Connection{Client: client, Namespace: "shop", Options: kube.Options{Instance: "agent"}}
	return New(c, history.New(c))
}

func rightTo(verb, resource, name string) right { return right{verb, "", resource, "shop", name} }

func TestDemandsJoinRightsOfOneKind(t *testing.T) {
	server := &apiServer{}
	needed := purposes{}
	needed.add("shop/web", rightTo("patch", "configmaps", "a"), rightTo("patch", "configmaps", "b"), rightTo("create", "configmaps", "a"))
	needed.add("shop/db", rightTo("patch", "configmaps", "b"), rightTo("list", "secrets", ""))
	needed.add("the state", rightTo("update", "configmaps", "agent-state"))
	want := []string{
		"create configmaps of any name for shop/web",
		"list secrets of any name for shop/db",
		"patch configmaps named a b for shop/db shop/web",
		"update configmaps/agent-state named agent-state for the state",
	}
	var got []string
	for key, d := range demandsOf(needed, true, server.reviewer().isOwn) {
		line := key.verb + " " + key.kind()
		if key.name != "" {
			line += "/" + key.name
		}
		if d.any {
			line += " of any name"
		} else {
			line += " named " + words(d.names)
		}
		got = append(got, line+" for "+words(d.by))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("demands (-want +got):\n%s", diff)
	}
}

// words are the values, each once and sorted.
func words(of []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(of))), " ")
}

func TestRefusedDemands(t *testing.T) {
	for name, test := range map[string]struct {
		needed  []right
		refuses []string
		fails   bool
		want    []string
		asked   []string
	}{
		"one question for all names when they are allowed": {
			needed: []right{rightTo("patch", "configmaps", "a"), rightTo("patch", "configmaps", "b")},
			asked:  []string{"patch configmaps"},
		},
		"one question for each name otherwise": {
			needed:  []right{rightTo("patch", "configmaps", "a"), rightTo("patch", "configmaps", "b")},
			refuses: []string{"patch configmaps"},
			asked:   []string{"patch configmaps", "patch configmaps/a", "patch configmaps/b"},
		},
		"one refused name is enough": {
			needed:  []right{rightTo("patch", "configmaps", "a"), rightTo("patch", "configmaps", "b")},
			refuses: []string{"patch configmaps", "patch configmaps/a", "patch configmaps/b"},
			want:    []string{"patch configmaps in namespace shop"},
		},
		"a right that has no name is asked for once": {
			needed:  []right{rightTo("create", "configmaps", "a")},
			refuses: []string{"create configmaps"},
			want:    []string{"create configmaps in namespace shop"},
			asked:   []string{"create configmaps"},
		},
		"an error is not an answer": {
			needed: []right{rightTo("create", "configmaps", "a")},
			fails:  true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := &apiServer{refuses: test.refuses, fails: test.fails}
			r := server.reviewer()
			needed := purposes{}
			needed.add("shop/web", test.needed...)
			refused, err := r.refusedDemands(context.Background(), demandsOf(needed, true, r.isOwn))
			if (err != nil) != test.fails {
				t.Fatal(err)
			}
			var got []string
			for _, one := range refused {
				got = append(got, one.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
			slices.Sort(server.asked)
			if diff := cmp.Diff(test.asked, server.asked); test.asked != nil && diff != "" {
				t.Errorf("questions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRulesShowWhatIsAllowedAndMissing(t *testing.T) {
	r := (&apiServer{}).reviewer()
	needed, optional := purposes{}, purposes{}
	needed.add("shop/web", rightTo("get", "configmaps", "a"), rightTo("delete", "configmaps", "a"), rightTo("create", "configmaps", "a"), right{"get", "apps", "deployments", "shop", "web"})
	needed.add("shop/db", rightTo("get", "configmaps", "b"), right{"get", "", "namespaces", "", "other"})
	needed.add("the state", rightTo("get", "configmaps", "agent-state"))
	optional.add("shop/web", rightTo("list", "configmaps", ""))
	all := demandsOf(needed, true, r.isOwn)
	for key, d := range demandsOf(optional, false, r.isOwn) {
		all[key] = d
	}
	var got []string
	for _, rule := range rulesOf(all, []right{rightTo("delete", "configmaps", ""), rightTo("list", "configmaps", "")}) {
		got = append(got, fmt.Sprintf("%q %s: allowed %v, missing %v, optional %v, for %v", rule.Namespace, rule.Resource, rule.Allowed, rule.Missing, rule.Optional, rule.For))
	}
	want := []string{
		`"" namespaces: allowed [get], missing [], optional [], for [shop/db]`,
		`"shop" configmaps: allowed [get create], missing [delete], optional [list], for [shop/db shop/web]`,
		`"shop" configmaps/agent-state: allowed [get], missing [], optional [], for [the state]`,
		`"shop" deployments.apps: allowed [get], missing [], optional [], for [shop/web]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestAMissingRightIsAnErrorOnlyWhenItIsNeeded(t *testing.T) {
	remove, list := rightTo("delete", "configmaps", ""), rightTo("list", "configmaps", "")
	all := map[right]*demand{remove: {needed: true, by: []string{"shop/web"}}, list: {by: []string{"shop/web"}}}
	for name, test := range map[string]struct {
		refused []right
		want    string
	}{
		"nothing is refused":  {nil, ""},
		"an optional right":   {[]right{list}, ""},
		"a needed right":      {[]right{remove}, "the agent may not:\n  delete configmaps in namespace shop (for shop/web)"},
		"both kinds of right": {[]right{list, remove}, "the agent may not:\n  delete configmaps in namespace shop (for shop/web)"},
	} {
		t.Run(name, func(t *testing.T) {
			err := missingRights(all, test.refused, "the YAML")
			got := ""
			var missing *MissingRightsError
			if errors.As(err, &missing) {
				got = missing.Error()
				if missing.Grant() != "the YAML" {
					t.Errorf("the error offers %q", missing.Grant())
				}
			}
			if (err == nil) != (test.want == "") || got != test.want {
				t.Errorf("got %v", err)
			}
		})
	}
}
