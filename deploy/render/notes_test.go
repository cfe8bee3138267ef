package render

import (
	"strings"
	"testing"
)

// TestNotes checks the notes that Helm prints after an installation, for different values.
func TestNotes(t *testing.T) {
	for name, test := range map[string]struct {
		values string
		says   []string
		not    []string
	}{
		"always": {
			"{}",
			[]string{
				"`run` of https://git.example.com/shop/config, on the schedule \"*/5 * * * *\".",
				"kubectl -n shop create job shop-agent-helmfile-agent-now --from=cronjob/shop-agent-helmfile-agent",
				"helm test shop-agent -n shop",
				"pruning is on", "there are no sops keys",
			},
			[]string{"WARNING"},
		},
		"suspended":        {"cronjob: {suspend: true}", []string{"WARNING: the CronJob is suspended"}, nil},
		"diff only":        {"command: diff", []string{"WARNING: the agent only shows differences"}, []string{"pruning"}},
		"not pruned":       {"config: {prune: 'off'}", []string{"WARNING: pruning is off"}, []string{"pruning is on"}},
		"pruning reported": {"config: {prune: report}", []string{"WARNING: pruning is report"}, nil},
		"no rights":        {"rbac: {mode: none}", []string{"WARNING: rbac.mode is none. The ServiceAccount shop-agent-helmfile-agent"}, nil},
		"SSH without key":  {"config: {repo: 'git@git.example.com:shop'}", []string{"WARNING: the URL of the repository uses SSH, but there is no SSH key"}, nil},
		"SSH with key":     {"{config: {repo: 'git@git.example.com:shop'}, git: {existingSecret: git}}", nil, []string{"WARNING"}},
		"plain http":       {"config: {repo: 'http://git.example.com/shop'}", []string{"WARNING: the URL of the repository uses http"}, nil},
		"keys":             {"sops: {existingSecret: keys}", nil, []string{"no sops keys"}},
		"late starts":      {"cronjob: {startingDeadlineSeconds: 9}", []string{"WARNING: cronjob.startingDeadlineSeconds is 9"}, nil},
		"no late starts":   {"cronjob: {startingDeadlineSeconds: 0}", []string{"WARNING: cronjob.startingDeadlineSeconds is 0"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			rendered, err := render(t, given, test.values)
			if err != nil {
				t.Fatal(err)
			}
			for _, words := range test.says {
				if !strings.Contains(rendered.Notes, words) {
					t.Errorf("the notes do not say %q:\n%s", words, rendered.Notes)
				}
			}
			for _, words := range test.not {
				if strings.Contains(rendered.Notes, words) {
					t.Errorf("the notes say %q:\n%s", words, rendered.Notes)
				}
			}
		})
	}
}
