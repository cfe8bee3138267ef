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
		"some rights are missing": {Report{Rights: rights, Grant: "kind: Role\n", Err: missing}, `
NAMESPACE   RESOURCE                                         ALLOWED      MISSING        FOR
-           customresourcedefinitions.apiextensions.k8s.io   -            create         shop/db
shop        configmaps                                       get create   patch (list)   shop/db and 2 more
shop        secrets                                          get          -              shop/db

To grant the missing rights, apply this with kubectl apply --filename:

kind: Role

forbidden (exit 17): the agent may not: create things and 1 more; rights: 5 needed, 2 missing in 1s
`},
		"no rights are missing": {Report{Rights: rights[2:]}, `
NAMESPACE   RESOURCE   ALLOWED   MISSING   FOR
shop        secrets    get       -         shop/db

rights: 1 needed, 0 missing in 1s
`},
		"the run ended before the rights were checked": {Report{Err: exit.With(exit.DesiredInvalid, errors.New("no helmfile"))}, `
desired-invalid (exit 14): the helmfile cannot be loaded, or uses something that the agent does not support
    no helmfile
retry? no: correct the helmfile

desired-invalid (exit 14): no helmfile; no rights checked in 1s
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

func TestAForbiddenRunShowsTheRoleThatGrantsTheRights(t *testing.T) {
	var text strings.Builder
	r := Report{Command: "run", Grant: "kind: Role\n", Err: exit.With(exit.Forbidden, errors.New("nothing was changed, because the agent may not:\n  create things"))}
	if err := r.WriteText(&text, Style{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "\n\nTo grant the missing rights, apply this with kubectl apply --filename:\n\nkind: Role\n\n") {
		t.Error(text.String())
	}
	if message := string(r.Termination(4096)); strings.Contains(message, "Role") {
		t.Errorf("the termination message must not contain the Role: %s", message)
	}
}
