package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// TestChartRights runs the agent with the chart's ServiceAccount and configuration, in each mode that grants rights. The agent can install,
// upgrade and uninstall the example, and has no rights in another namespace.
func TestChartRights(t *testing.T) {
	t.Parallel()
	for mode, set := range map[string]string{
		"role": "rbac.mode=role",
		"bind": "rbac.mode=bind",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			u := newRestricted(t)
			example := tree(t, "../examples/quickstart")
			repo := newRepository(t, example)
			u.mustHelm("install", "shop", chartDir(t), "--set", "config.repo="+repo.url+",config.output=json,config.logLevel=warn,"+set)
			agent := u.podAccount("shop-helmfile-agent")
			agent.expect("access", converged)
			agent.expect("run", converged)
			agent.expect("run", converged)
			repo.commit(t, files{"helmfile.yaml": "releases:\n- {name: worker, chart: ./charts/app, installed: false}\n"}, "fewer")
			agent.expect("run", converged, "--prune-max-share=100")
			agent.expect("run", converged, "--prune-max-share=100")
			left := must(client(t).AppsV1().Deployments(u.namespace).List(t.Context(), meta.ListOptions{}))(t)
			if len(left.Items) != 0 {
				t.Errorf("%d Deployments are left", len(left.Items))
			}
			agent.hasNoRightsElsewhere()
		})
	}
}

// TestChartRightsInOtherNamespaces has releases only in another namespace. The agent works there. In its own namespace, it can neither
// write Secrets nor read other objects.
func TestChartRightsInOtherNamespaces(t *testing.T) {
	t.Parallel()
	u := newRestricted(t)
	away := bind(t, u.namespace+"-away", u.user)
	repo := newRepository(t, ownRelease("namespace: "+away.namespace, text))
	u.mustHelm("install", "shop", chartDir(t), "--set", "config.repo="+repo.url+",rbac.releasesInOwnNamespace=false,rbac.namespaces={"+away.namespace+"}")
	agent := u.podAccount("shop-helmfile-agent")
	agent.expect("access", converged)
	agent.expect("run", converged)
	for _, next := range []files{
		ownRelease("namespace: "+away.namespace, text+"  more: x\n"),
		ownRelease("namespace: "+away.namespace+"\n  installed: false", text),
	} {
		repo.commit(t, next, "next")
		agent.expect("run", converged)
	}
	if _, err := client(t).CoreV1().ConfigMaps(away.namespace).Get(t.Context(), "own", meta.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the ConfigMap of the uninstalled release: %v, want it gone", err)
	}
	agent.hasNoRightsElsewhere()
	config := must(clientcmd.BuildConfigFromFlags("", agent.kubeconfig))(t)
	own := kubernetes.NewForConfigOrDie(config).CoreV1()
	if _, err := own.Secrets(u.namespace).Create(t.Context(), &core.Secret{ObjectMeta: meta.ObjectMeta{Name: "never"}}, meta.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("the account can create a Secret in the agent's namespace: %v, want forbidden", err)
	}
	if _, err := own.ConfigMaps(u.namespace).List(t.Context(), meta.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("the account can list ConfigMaps in the agent's namespace: %v, want forbidden", err)
	}
}

// TestTenantGrantsOnlyItsRights checks that an admin of a namespace can grant rights for Roles and RoleBindings, but not for kinds without
// rights in the ClusterRole admin.
func TestTenantGrantsOnlyItsRights(t *testing.T) {
	t.Parallel()
	u := newRestricted(t)
	kinds := func(more string) string {
		return "config.repo=https://git.example.com/shop/config,rbac.kinds={configmaps," + more + "}"
	}
	u.mustHelm("install", "granted", chartDir(t), "--set", kinds("roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io"))
	r := u.run("", "helm", "install", "refused", chartDir(t), "--namespace", u.namespace, "--set", kinds("prometheusrules.monitoring.coreos.com"))
	if r.code == 0 || !strings.Contains(r.stderr, "attempting to grant RBAC permissions not currently held") {
		t.Errorf("the tenant granted what it does not have: %s", r)
	}
}

// podAccount is a tenant with the token and the configuration file that a pod of the chart has.
type podAccount struct {
	tenant
	account, file string
}

func (u tenant) podAccount(name string) podAccount {
	u.t.Helper()
	ctx, admin := u.t.Context(), kubernetes.NewForConfigOrDie(control.Config()).CoreV1()
	token, err := admin.ServiceAccounts(u.namespace).CreateToken(ctx, name, &authentication.TokenRequest{}, meta.CreateOptions{})
	if err != nil {
		u.t.Fatal(err)
	}
	settings, err := admin.ConfigMaps(u.namespace).Get(ctx, name+"-config", meta.GetOptions{})
	if err != nil {
		u.t.Fatal(err)
	}
	dir := u.t.TempDir()
	pod := podAccount{tenant: u, account: name, file: filepath.Join(dir, "agent.yaml")}
	config, err := clientcmd.LoadFromFile(u.kubeconfig)
	if err != nil {
		u.t.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		user.Token = token.Status.Token
	}
	pod.kubeconfig = filepath.Join(dir, "kubeconfig")
	if err := clientcmd.WriteToFile(*config, pod.kubeconfig); err != nil {
		u.t.Fatal(err)
	}
	if err := os.WriteFile(pod.file, []byte(settings.Data["agent.yaml"]), 0o600); err != nil {
		u.t.Fatal(err)
	}
	return pod
}

func (p podAccount) expect(command string, code int, args ...string) {
	p.t.Helper()
	args = append([]string{command, "--config=" + p.file}, args...)
	if r := p.run("", "helmfile-agent", args...); r.code != code {
		p.t.Fatalf("%s: want exit code %d: %s", strings.Join(args, " "), code, r)
	}
}

// hasNoRightsElsewhere tries the rights of the Role in another namespace, and expects that each is forbidden.
func (p podAccount) hasNoRightsElsewhere() {
	p.t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", p.kubeconfig)
	if err != nil {
		p.t.Fatal(err)
	}
	own := kubernetes.NewForConfigOrDie(config)
	if _, err := own.CoreV1().Secrets(p.namespace).List(p.t.Context(), meta.ListOptions{}); err != nil {
		p.t.Errorf("the account has no rights in its own namespace: %v", err)
	}
	if _, err := own.CoreV1().Secrets("default").List(p.t.Context(), meta.ListOptions{}); err == nil {
		p.t.Error("the account reads the Secrets of another namespace")
	}
	if _, err := own.CoreV1().Namespaces().List(p.t.Context(), meta.ListOptions{}); err == nil {
		p.t.Error("the account lists namespaces")
	}
	if _, err := own.RbacV1().ClusterRoles().Create(p.t.Context(), &rbac.ClusterRole{ObjectMeta: meta.ObjectMeta{Name: "never"}}, meta.CreateOptions{}); err == nil {
		p.t.Error("the account makes a ClusterRole")
	}
}
