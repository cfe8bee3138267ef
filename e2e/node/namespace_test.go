//go:build linux

package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

const (
	helmTimeout = 3 * time.Minute
	gitSecret   = "git"
	imageTag    = "e2e" // the tag in the archive of `make bin/image.tar`
)

// testNamespace is a namespace with the Pod Security profile restricted, its tenant, and a repository.
type testNamespace struct {
	t          *testing.T
	namespace  string
	user       string
	kubeconfig string
	client     kubernetes.Interface // the tenant's client
	repo       *servers.Repo
	name       string // the name of the repository
}

// values has the values of a chart.
type values = map[string]any

var places atomic.Int64

// newTestNamespace creates a namespace for the test, with the tenant's Secret for the repository.
func newTestNamespace(t *testing.T) *testNamespace {
	t.Helper()
	n := int(places.Add(1))
	if n > cluster.Tenants {
		t.Fatalf("there are %d tenants, and each has the rights of one namespace only", cluster.Tenants)
	}
	title := regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(t.Name()), "-")
	namespace := fmt.Sprintf("%s-%d", strings.Trim(title[:min(len(title), 50)], "-"), n)
	p := &testNamespace{t: t, namespace: namespace, user: cluster.TenantUser(n - 1)}
	p.must(control.Tenant(t.Context(), p.namespace, p.user))
	p.restrict()
	var err error
	p.kubeconfig, err = control.Kubeconfig(p.user, p.namespace)
	p.must(err)
	p.client = clientOf(t, p.user)
	p.name = p.namespace + ".git"
	p.repo, err = servers.NewRepo(outside.root, p.name)
	p.must(err)
	p.secret(gitSecret, core.SecretTypeOpaque, map[string]string{
		"username": username, "password": password, "ca.crt": string(outside.git.CA),
	})
	return p
}

func clientOf(t *testing.T, user string) kubernetes.Interface {
	t.Helper()
	config, err := control.ConfigFor(user)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (p *testNamespace) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// restrict sets the Pod Security profile restricted, as an administrator.
func (p *testNamespace) restrict() {
	p.t.Helper()
	patch := []byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`)
	_, err := clientOf(p.t, cluster.Admin).CoreV1().Namespaces().Patch(p.t.Context(), p.namespace, types.MergePatchType, patch, meta.PatchOptions{})
	p.must(err)
}

func (p *testNamespace) secret(name string, kind core.SecretType, entries map[string]string) {
	p.t.Helper()
	secret := &core.Secret{ObjectMeta: meta.ObjectMeta{Name: name}, Type: kind, StringData: entries}
	_, err := p.client.CoreV1().Secrets(p.namespace).Create(p.t.Context(), secret, meta.CreateOptions{})
	p.must(err)
}

// commit adds files to the repository.
func (p *testNamespace) commit(files map[string]string, message string) {
	p.t.Helper()
	_, err := p.repo.Commit(files, message)
	p.must(err)
}

// declares commits a helmfile with these releases, and their chart.
func (p *testNamespace) declares(releases ...string) {
	p.t.Helper()
	files := maps.Clone(smallChart)
	files["helmfile.yaml"] = "releases:\n" + strings.Join(releases, "")
	if len(releases) == 0 {
		files["helmfile.yaml"] = "releases: []\n"
	}
	p.commit(files, "declare: "+strings.Join(releases, ""))
}

// agent is an installation of the chart in a test's namespace.
type agent struct {
	*testNamespace
	release string
	chart   string // the chart argument of helm
}

// install installs the chart as the tenant, without a schedule. The test creates the Jobs of the runs.
func (p *testNamespace) install(release string, given ...values) *agent {
	p.t.Helper()
	a := &agent{testNamespace: p, release: release, chart: chartDir()}
	p.helm("install", append([]string{release, a.chart}, a.settings(given)...)...)
	return a
}

// upgrade upgrades the installation with other values.
func (a *agent) upgrade(given ...values) {
	a.t.Helper()
	a.helm("upgrade", append([]string{a.release, a.chart}, a.settings(given)...)...)
}

func chartDir() string {
	return filepath.Join(filepath.Dir(binaries), "chart")
}

// settings returns flags of helm for the values. Later values override earlier ones, and all override the default values of the tests.
func (a *agent) settings(given []values) []string {
	a.t.Helper()
	base := values{
		"image":   values{"tag": imageTag},
		"config":  values{"repo": outside.git.RepoURL(a.testNamespace.name)},
		"git":     values{"existingSecret": gitSecret, "caKey": "ca.crt"},
		"cronjob": values{"suspend": true},
	}
	var flags []string
	for _, layer := range append([]values{base}, given...) {
		file, err := os.CreateTemp("", "values-*.yaml")
		a.must(err)
		content, err := yaml.Marshal(layer)
		a.must(err)
		_, err = file.Write(content)
		a.must(errors.Join(err, file.Close()))
		flags = append(flags, "--values", file.Name())
	}
	return flags
}

// fullname returns the name of the installation's objects.
func (a *agent) fullname() string {
	if strings.Contains(a.release, "helmfile-agent") {
		return a.release
	}
	return a.release + "-helmfile-agent"
}

// helm runs the real helm as the tenant, and fails the test if helm fails.
func (p *testNamespace) helm(command string, args ...string) string {
	p.t.Helper()
	out, err := p.tryHelm(command, args...)
	if err != nil {
		p.t.Fatalf("helm %s %v: %v\n%s", command, args, err, out)
	}
	return out
}

func (p *testNamespace) tryHelm(command string, args ...string) (string, error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), helmTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "helm"), append([]string{command, "--namespace", p.namespace}, args...)...)
	home := p.t.TempDir()
	cmd.Env = []string{"HOME=" + home, "KUBECONFIG=" + p.kubeconfig, "PATH=" + os.Getenv("PATH")}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}
