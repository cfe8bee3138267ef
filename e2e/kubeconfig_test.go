package e2e

import (
	"os"
	"path/filepath"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
)

// TestRelativeKubeconfig uses a kubeconfig with a relative path and without a namespace. Records and objects must be in the release's
// namespace.
func TestRelativeKubeconfig(t *testing.T) {
	t.Parallel()
	for how, test := range map[string]struct{ args, env []string }{
		"a flag":             {args: []string{"--kubeconfig", "kubeconfig"}},
		"a variable":         {env: []string{"HELMFILE_AGENT_KUBECONFIG=kubeconfig"}},
		"kubectl's variable": {env: []string{"KUBECONFIG=kubeconfig"}},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			u := newTenant(t)
			dir := t.TempDir()
			config := must(clientcmd.LoadFromFile(u.kubeconfig))(t)
			for _, c := range config.Contexts {
				c.Namespace = ""
			}
			check(t, clientcmd.WriteToFile(*config, filepath.Join(dir, "kubeconfig")))
			u.kubeconfig = os.DevNull
			u.env = test.env
			args := append([]string{"run", "--repo", newRepository(t, ownRelease("", text)).url, "--namespace", u.namespace, "--log-level", "warn"}, test.args...)
			if r := u.run(dir, "helmfile-agent", args...); r.code != converged {
				t.Fatal(r)
			}
			api := client(t).CoreV1()
			records := must(api.Secrets(u.namespace).List(t.Context(), meta.ListOptions{LabelSelector: "owner=helm"}))(t)
			if len(records.Items) != 1 {
				t.Errorf("%d records of Helm", len(records.Items))
			}
			if _, err := api.ConfigMaps(u.namespace).Get(t.Context(), "own", meta.GetOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
}
