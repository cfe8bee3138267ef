package report

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestAccessAsText(t *testing.T) {
	rights := []Right{
		{Resource: "customresourcedefinitions.apiextensions.k8s.io", Missing: []string{"create"}, For: []string{"shop/db"}},
		{Namespace: "shop", Resource: "configmaps", Allowed: []string{"get", "create"}, Missing: []string{"patch"}, Optional: []string{"list"}, For: []string{"shop/db", "shop/web", "shop/worker"}},
		{Namespace: "shop", Resource: "secrets", Allowed: []string{"get"}, For: []string{"shop/db"}},
	}
	missing := exit.With(exit.Forbidden, errors.New("the agent may not:\n  create things\n  patch configmaps"))
	for name, test := range map[string]struct {
		report Report
		want   string
	}{
		"something is missing": {Report{Rights: rights, Grant: "kind: Role\n", Err: missing}, `
NAMESPACE   RESOURCE                                         ALLOWED      MISSING        FOR
-           customresourcedefinitions.apiextensions.k8s.io   -            create         shop/db
shop        configmaps                                       get create   patch (list)   shop/db and 2 more
shop        secrets                                          get          -              shop/db

This grants what is missing (kubectl apply --filename):

kind: Role

forbidden (exit 17): the agent may not: create things and 1 more; rights: 5 needed, 2 missing in 1s
`},
		"nothing is missing": {Report{Rights: rights[2:]}, `
NAMESPACE   RESOURCE   ALLOWED   MISSING   FOR
shop        secrets    get       -         shop/db

rights: 1 needed, 0 missing in 1s
`},
		"it did not come to that": {Report{Err: exit.With(exit.DesiredInvalid, errors.New("no helmfile"))}, `
desired-invalid (exit 14): the helmfile cannot be loaded, or asks for what cannot be done
    no helmfile
retry? no: correct the helmfile

desired-invalid (exit 14): no helmfile; no right asked for in 1s
`},
	} {
		t.Run(name, func(t *testing.T) {
			test.report.Command, test.report.Took = Access, time.Second
			var text strings.Builder
			if err := test.report.WriteAccess(&text, Style{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), text.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARefusedRunShowsWhatWouldGrantIt(t *testing.T) {
	var text strings.Builder
	r := Report{Command: "run", Grant: "kind: Role\n", Err: exit.With(exit.Forbidden, errors.New("nothing was changed, because the agent may not:\n  create things"))}
	if err := r.WriteText(&text, Style{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "\n\nThis grants what is missing (kubectl apply --filename):\n\nkind: Role\n\n") {
		t.Error(text.String())
	}
	if words := string(r.Termination(4096)); strings.Contains(words, "Role") {
		t.Errorf("the last words have no room for it: %s", words)
	}
}
