package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// All subtests use one control plane. Each has its own namespace and user.
func TestCluster(t *testing.T) {
	c := startForTest(t)
	t.Run("counts exactly what a user asked", func(t *testing.T) { countsExactly(t, c) })
	t.Run("counts a watch when it starts", func(t *testing.T) { countsWatches(t, c) })
	t.Run("tells writes from questions and dry runs", func(t *testing.T) { tellsWrites(t, c) })
	t.Run("keeps a tenant in its namespace", func(t *testing.T) { keepsTenantsApart(t, c) })
	t.Run("writes a kubeconfig with a default namespace", func(t *testing.T) { writesKubeconfig(t, c) })
	t.Run("deletes a namespace for good", func(t *testing.T) { deletesNamespace(t, c) })
	t.Run("knows its users", func(t *testing.T) {
		if _, err := c.ConfigFor("nobody"); err == nil {
			t.Error("a configuration for an unknown user")
		}
	})
	stopsWithoutTrace(t, c)
}

func startForTest(t *testing.T) *Cluster {
	t.Helper()
	began := time.Now()
	c, err := Start(t.Context(), Options{Dir: filepath.Join(t.TempDir(), "cluster"), Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %s", time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func countsExactly(t *testing.T, c *Cluster) {
	tenant(t, c, "counted", TenantUser(0))
	client := clientFor(t, c, TenantUser(0))
	before := now(t, c)
	for range 50 {
		_, _ = client.CoreV1().ConfigMaps("counted").Get(t.Context(), "absent", meta.GetOptions{})
	}
	_, _ = client.CoreV1().Secrets("counted").List(t.Context(), meta.ListOptions{})
	between := now(t, c)
	_, _ = client.CoreV1().Secrets("counted").Get(t.Context(), "absent", meta.GetOptions{})

	got := requests(t, c, before, TenantUser(0))
	if n := len(Select(got, Request{Verb: "get", Resource: "configmaps", Namespace: "counted", Code: 404})); n != 50 {
		t.Errorf("%d reads of the ConfigMap, want 50", n)
	}
	if len(got) != 52 {
		t.Errorf("%d requests, want 52: %v", len(got), got)
	}
	want := []string{"get secrets counted/absent 404"}
	if diff := cmp.Diff(want, lines(requests(t, c, between, TenantUser(0)))); diff != "" {
		t.Errorf("requests after the second mark (-want +got):\n%s", diff)
	}
	if got := requests(t, c, now(t, c), TenantUser(0)); len(got) != 0 {
		t.Errorf("requests after the last mark: %v", got)
	}
}

func countsWatches(t *testing.T, c *Cluster) {
	tenant(t, c, "watched", TenantUser(1))
	before := now(t, c)
	watch, err := clientFor(t, c, TenantUser(1)).CoreV1().Secrets("watched").Watch(t.Context(), meta.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"watch secrets watched 200"}
	if diff := cmp.Diff(want, lines(requests(t, c, before, TenantUser(1)))); diff != "" {
		t.Errorf("during the watch (-want +got):\n%s", diff)
	}
	watch.Stop()
	if diff := cmp.Diff(want, lines(requests(t, c, before, TenantUser(1)))); diff != "" {
		t.Errorf("after the watch (-want +got):\n%s", diff)
	}
}

func tellsWrites(t *testing.T, c *Cluster) {
	tenant(t, c, "written", TenantUser(2))
	maps := clientFor(t, c, TenantUser(2)).CoreV1().ConfigMaps("written")
	note := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "note"}}
	before := now(t, c)
	_, _ = maps.Create(t.Context(), note, meta.CreateOptions{DryRun: []string{meta.DryRunAll}})
	_, _ = maps.Get(t.Context(), "note", meta.GetOptions{})
	_, _ = maps.Create(t.Context(), note, meta.CreateOptions{})
	_, _ = maps.Create(t.Context(), note, meta.CreateOptions{})
	_ = maps.Delete(t.Context(), "note", meta.DeleteOptions{})

	want := []string{"create configmaps written/note 201", "create configmaps written/note 409", "delete configmaps written/note 200"}
	if diff := cmp.Diff(want, lines(Writes(requests(t, c, before, TenantUser(2))))); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

func keepsTenantsApart(t *testing.T, c *Cluster) {
	tenant(t, c, "own", TenantUser(3))
	tenant(t, c, "other", TenantUser(4))
	secrets := clientFor(t, c, TenantUser(3)).CoreV1()
	if _, err := secrets.Secrets("own").List(t.Context(), meta.ListOptions{}); err != nil {
		t.Errorf("list the secrets of its own namespace: %v", err)
	}
	for _, namespace := range []string{"other", meta.NamespaceAll} {
		if _, err := secrets.Secrets(namespace).List(t.Context(), meta.ListOptions{}); !apierrors.IsForbidden(err) {
			t.Errorf("list the secrets of namespace %q: %v, want it forbidden", namespace, err)
		}
	}
}

func writesKubeconfig(t *testing.T, c *Cluster) {
	path, err := c.Kubeconfig(TenantUser(5), "place")
	if err != nil {
		t.Fatal(err)
	}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: path}, nil)
	namespace, _, err := loader.Namespace()
	if err != nil || namespace != "place" {
		t.Errorf("namespace %q, %v", namespace, err)
	}
	config, err := loader.ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Discovery().ServerVersion(); err != nil {
		t.Errorf("ask for the version with the kubeconfig: %v", err)
	}
}

func deletesNamespace(t *testing.T, c *Cluster) {
	tenant(t, c, "brief", TenantUser(6))
	namespaces := clientFor(t, c, Admin).CoreV1().Namespaces()
	if err := namespaces.Delete(t.Context(), "brief", meta.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := eventually(ctx, func(ctx context.Context) error {
		_, err := namespaces.Get(ctx, "brief", meta.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("still there: %w", err)
	})
	if err != nil {
		t.Error(err)
	}
}

func stopsWithoutTrace(t *testing.T, c *Cluster) {
	var pids []int
	for _, p := range c.processes {
		pids = append(pids, p.cmd.Process.Pid)
	}
	began := time.Now()
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	t.Logf("stopped %v in %s", pids, time.Since(began).Round(time.Millisecond))
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is still alive", pid)
		}
	}
	if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func TestStartSaysWhatWentWrong(t *testing.T) {
	_, err := Start(t.Context(), Options{Binary: "/bin/false"})
	if err == nil || !strings.Contains(err.Error(), "etcd ended before it was ready: exit status 1") {
		t.Errorf("error %v", err)
	}
	broken := filepath.Join(t.TempDir(), "controlplane")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho the cause; exit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Options{Binary: broken})
	if err == nil || !strings.Contains(err.Error(), "the cause") {
		t.Errorf("error without the log's tail: %v", err)
	}
}

func TestStartLeavesAForeignDirectoryAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Binary: "/bin/false", Dir: dir}); err == nil {
		t.Error("started in a directory that holds something")
	}
	if _, err := os.Stat(filepath.Join(dir, "precious")); err != nil {
		t.Error(err)
	}
}

func TestFindBinarySaysHowToBuildIt(t *testing.T) {
	t.Setenv(BinaryVariable, filepath.Join(t.TempDir(), "absent"))
	_, err := FindBinary()
	if err == nil || !strings.Contains(err.Error(), "make bin/controlplane") {
		t.Errorf("error %v", err)
	}
}

func tenant(t *testing.T, c *Cluster, namespace, user string) {
	t.Helper()
	if err := c.Tenant(t.Context(), namespace, user); err != nil {
		t.Fatal(err)
	}
}

func clientFor(t *testing.T, c *Cluster, user string) kubernetes.Interface {
	t.Helper()
	config, err := c.ConfigFor(user)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func now(t *testing.T, c *Cluster) Position {
	t.Helper()
	position, err := c.Audit.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return position
}

func requests(t *testing.T, c *Cluster, since Position, user string) []Request {
	t.Helper()
	got, err := c.Audit.Requests(t.Context(), since, user)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func lines(requests []Request) []string {
	var lines []string
	for _, request := range requests {
		lines = append(lines, request.String())
	}
	return lines
}

func TestStartTriesOtherPortsWhenOneIsTaken(t *testing.T) {
	dir := t.TempDir()
	binary, tries := filepath.Join(dir, "controlplane"), filepath.Join(dir, "tries")
	script := "#!/bin/sh\necho try >>" + tries + "\necho 'listen tcp 127.0.0.1:1: bind: address already in use'\nexit 1\n"
	if err := os.WriteFile(binary, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Binary: binary, Dir: filepath.Join(dir, "cluster")}); err == nil {
		t.Error("started without a port")
	}
	output, err := os.ReadFile(tries)
	if got := strings.Count(string(output), "try"); err != nil || got != startAttempts {
		t.Errorf("%d tries, %v, want %d", got, err, startAttempts)
	}
}
