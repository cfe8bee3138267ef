package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"
)

// TestChartPods checks that a restricted namespace admits the pods of the CronJob and the pod of helm test.
func TestChartPods(t *testing.T) {
	t.Parallel()
	u := newRestricted(t)
	for name, set := range map[string]string{
		"plain":     "config.repo=https://git.example.com/shop/config",
		"with-keys": "config.repo=git@git.example.com:shop,git.existingSecret=git,git.caKey=ca.crt,sops.existingSecret=keys,registry.existingSecret=registry",
		"openshift": "config.repo=https://git.example.com/shop/config,podSecurityContext.runAsUser=null,podSecurityContext.runAsGroup=null,podSecurityContext.fsGroup=null",
	} {
		u.mustHelm("install", name, chartDir(t), "--set", set)
		job := u.trigger(name + "-helmfile-agent")
		pod := awaitPod(t, u.namespace, job)
		u.admits(u.mustHelm("get", "hooks", name).stdout)
		if pod.Spec.ServiceAccountName != name+"-helmfile-agent" {
			t.Errorf("%s: the pod runs as %s", name, pod.Spec.ServiceAccountName)
		}
	}
}

// admits checks with a dry run that the API server admits a pod.
func (u tenant) admits(document string) {
	u.t.Helper()
	var pod core.Pod
	if err := yaml.UnmarshalStrict([]byte(document), &pod); err != nil {
		u.t.Fatalf("%v in:\n%s", err, document)
	}
	own := kubernetes.NewForConfigOrDie(must(control.ConfigFor(u.user))(u.t)).CoreV1()
	if _, err := own.Pods(u.namespace).Create(u.t.Context(), &pod, meta.CreateOptions{DryRun: []string{meta.DryRunAll}}); err != nil {
		u.t.Error(err)
	}
}

// trigger creates a Job from a CronJob as the tenant, like `kubectl create job --from`.
func (u tenant) trigger(cronJob string) string {
	u.t.Helper()
	ctx := u.t.Context()
	own := kubernetes.NewForConfigOrDie(must(control.ConfigFor(u.user))(u.t)).BatchV1()
	from, err := own.CronJobs(u.namespace).Get(ctx, cronJob, meta.GetOptions{})
	if err != nil {
		u.t.Fatal(err)
	}
	job := &batch.Job{
		ObjectMeta: meta.ObjectMeta{Name: cronJob + "-now", OwnerReferences: []meta.OwnerReference{*meta.NewControllerRef(from, batch.SchemeGroupVersion.WithKind("CronJob"))}},
		Spec:       from.Spec.JobTemplate.Spec,
	}
	if _, err := own.Jobs(u.namespace).Create(ctx, job, meta.CreateOptions{}); err != nil {
		u.t.Fatal(err)
	}
	return job.Name
}

// awaitPod returns the pod that the controller creates for a Job. It fails the test with the reason if the pod is not admitted.
func awaitPod(t *testing.T, namespace, job string) core.Pod {
	t.Helper()
	ctx, core1 := t.Context(), client(t).CoreV1()
	for until := time.Now().Add(soon); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		pods := must(core1.Pods(namespace).List(ctx, meta.ListOptions{LabelSelector: "batch.kubernetes.io/job-name=" + job}))(t)
		if len(pods.Items) > 0 {
			return pods.Items[0]
		}
	}
	events := must(core1.Events(namespace).List(ctx, meta.ListOptions{FieldSelector: "involvedObject.name=" + job}))(t)
	for _, event := range events.Items {
		t.Log(event.Message)
	}
	t.Fatalf("the Job %s has no pod", job)
	return core.Pod{}
}

// TestPlainManifests moves the plain manifests to another namespace as their first lines say. It checks that a tenant can apply them.
func TestPlainManifests(t *testing.T) {
	t.Parallel()
	u := newRestricted(t)
	before := inventory(t, u.namespace)
	text := string(must(os.ReadFile("../deploy/manifests/helmfile-agent.yaml"))(t))
	head, _, _ := strings.Cut(text, "---\n")
	if !strings.Contains(head, "'s/namespace: helmfile-agent$/namespace: shop/'") {
		t.Fatalf("the manifests do not say how to move them:\n%s", head)
	}
	own := dynamic.NewForConfigOrDie(must(control.ConfigFor(u.user))(t))
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client(t).Discovery()))
	for document := range strings.SplitSeq(strings.ReplaceAll(text, "namespace: helmfile-agent\n", "namespace: "+u.namespace+"\n"), "---\n") {
		var object unstructured.Unstructured
		check(t, yaml.Unmarshal([]byte(document), &object.Object))
		if len(object.Object) == 0 {
			continue // comments
		}
		kind := object.GroupVersionKind()
		mapping := must(mapper.RESTMapping(kind.GroupKind(), kind.Version))(t)
		_, err := own.Resource(mapping.Resource).Namespace(object.GetNamespace()).Create(t.Context(), &object, meta.CreateOptions{FieldValidation: meta.FieldValidationStrict})
		check(t, err)
	}
	expectInventory(t, u.namespace, before, "configmaps/helmfile-agent-config", "cronjobs.batch/helmfile-agent",
		"rolebindings.rbac.authorization.k8s.io/helmfile-agent", "roles.rbac.authorization.k8s.io/helmfile-agent", "serviceaccounts/helmfile-agent")
	awaitPod(t, u.namespace, u.trigger("helmfile-agent"))
}
