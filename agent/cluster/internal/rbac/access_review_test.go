package rbac

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	authorization "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
)

// TestARefusalThatComesLateCounts: every answer takes a while, so a result that is read before all answers have arrived is empty.
func TestARefusalThatComesLateCounts(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "selfsubjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		time.Sleep(20 * time.Millisecond)
		review := action.(clienttesting.CreateAction).GetObject().(*authorization.SelfSubjectAccessReview).DeepCopy()
		review.Status.Allowed = review.Spec.ResourceAttributes.Verb != "delete"
		return true, review, nil
	})
	c := &kube.Connection{Client: client, Namespace: "shop"}
	reviewer := New(c, history.New(c))
	var needed []right
	for _, verb := range []string{"get", "create", "delete"} {
		for _, resource := range []string{"configmaps", "secrets", "services"} {
			needed = append(needed, right{verb: verb, resource: resource, namespace: "shop"})
		}
	}
	denied, err := reviewer.denied(context.Background(), needed)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range denied {
		got = append(got, one.String())
	}
	slices.Sort(got)
	const want = "delete configmaps in namespace shop, delete secrets in namespace shop, delete services in namespace shop"
	if strings.Join(got, ", ") != want {
		t.Errorf("refused: %v", got)
	}
}
