package render

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// pods returns the pod of the CronJob and the pod of helm test.
func pods(t *testing.T, all map[string]runtime.Object) map[string]core.PodSpec {
	t.Helper()
	found := map[string]core.PodSpec{}
	for key, object := range all {
		if pod, is := object.(*core.Pod); is {
			found[key] = pod.Spec
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d pods beside the CronJob, want the test's", len(found))
	}
	return found
}

// TestToken checks that every pod has a short-lived token at the path of the default token, and that Kubernetes does not mount the
// default token.
func TestToken(t *testing.T) {
	for values, seconds := range map[string]int64{
		"{}": 3600,
		"serviceAccount: {tokenExpirationSeconds: 600}":                  600,
		"serviceAccount: {tokenExpirationSeconds: 86400, create: false}": 86400,
	} {
		all := must(t, given, values)
		specs := pods(t, all)
		specs["the CronJob"] = podOf(cronJob(t, values))
		for name, spec := range specs {
			if diff := cmp.Diff(tokenSources(seconds), projected(t, spec, "token").Sources); diff != "" {
				t.Errorf("%s, %s: %s", name, values, diff)
			}
			want := core.VolumeMount{Name: "token", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true}
			if mounts := spec.Containers[0].VolumeMounts; !slices.Contains(mounts, want) {
				t.Errorf("%s, %s: the token is not mounted: %+v", name, values, mounts)
			}
			if mounted := spec.AutomountServiceAccountToken; mounted == nil || *mounted {
				t.Errorf("%s, %s: Kubernetes mounts a token too", name, values)
			}
		}
	}
	account := find[*core.ServiceAccount](t, must(t, given))
	if mounted := account.AutomountServiceAccountToken; mounted == nil || *mounted {
		t.Error("Kubernetes mounts the account's token into every pod")
	}
}

func tokenSources(seconds int64) []core.VolumeProjection {
	return []core.VolumeProjection{
		{ServiceAccountToken: &core.ServiceAccountTokenProjection{ExpirationSeconds: &seconds, Path: "token"}},
		{ConfigMap: &core.ConfigMapProjection{
			LocalObjectReference: core.LocalObjectReference{Name: "kube-root-ca.crt"},
			Items:                []core.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}},
		}},
		{DownwardAPI: &core.DownwardAPIProjection{Items: []core.DownwardAPIVolumeFile{
			{Path: "namespace", FieldRef: &core.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"}},
		}}},
	}
}

func projected(t *testing.T, spec core.PodSpec, name string) *core.ProjectedVolumeSource {
	t.Helper()
	i := slices.IndexFunc(spec.Volumes, func(v core.Volume) bool { return v.Name == name && v.Projected != nil })
	if i < 0 {
		t.Fatalf("there is no projected volume %q", name)
	}
	return spec.Volumes[i].Projected
}

// TestRestricted checks that the pods satisfy the Pod Security profile "restricted", also by the container's own security context.
func TestRestricted(t *testing.T) {
	specs := pods(t, must(t, given))
	specs["the CronJob"] = podOf(cronJob(t))
	for name, spec := range specs {
		if problem := unrestricted(spec); problem != "" {
			t.Errorf("%s %s", name, problem)
		}
	}
}

func unrestricted(spec core.PodSpec) string {
	pod, container := spec.SecurityContext, spec.Containers[0].SecurityContext
	allowed := []string{"ConfigMap", "EmptyDir", "Projected", "Secret"}
	switch {
	case spec.HostNetwork || spec.HostPID || spec.HostIPC:
		return "shares a namespace with the node"
	case pod == nil || container == nil:
		return "has no security context"
	case pod.RunAsNonRoot == nil || !*pod.RunAsNonRoot || pod.RunAsUser == nil || *pod.RunAsUser == 0:
		return "may run as root"
	case !defaultProfile(pod.SeccompProfile) || !defaultProfile(container.SeccompProfile):
		return "lacks the runtime's seccomp profile, in the pod or in the container"
	case container.AllowPrivilegeEscalation == nil || *container.AllowPrivilegeEscalation || container.Privileged != nil:
		return "may gain privileges"
	case container.ReadOnlyRootFilesystem == nil || !*container.ReadOnlyRootFilesystem:
		return "may write to its image"
	case container.Capabilities == nil || !slices.Equal(container.Capabilities.Drop, []core.Capability{"ALL"}) || len(container.Capabilities.Add) > 0:
		return "keeps capabilities"
	}
	for _, volume := range spec.Volumes {
		if source := volume.VolumeSource; source.ConfigMap == nil && source.EmptyDir == nil && source.Projected == nil && source.Secret == nil {
			return fmt.Sprintf("has the volume %s, which is none of %q", volume.Name, allowed)
		}
	}
	return ""
}

func defaultProfile(profile *core.SeccompProfile) bool {
	return profile != nil && profile.Type == core.SeccompProfileTypeRuntimeDefault
}
