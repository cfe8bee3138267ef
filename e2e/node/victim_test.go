//go:build linux

package node

import (
	"crypto/rand"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/e2e/attacks"
	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
)

const (
	outsideAt    = "/outside"                 // a directory in the pod that the agent must not read
	keysAt       = "/etc/helmfile-agent/sops" // the path at which the chart mounts keys
	podUser      = 65532
	volume       = "outside"
	keySecret    = "keys"
	environment  = "environment"
	attackCommit = "attack"
)

// victim is an installation of the chart with everything that an attack may try to reach.
type victim struct {
	*testNamespace
	attack   attacks.Attack
	canaries map[string]string // by their place
	dir      string            // the directory that the pod sees at outsideAt
	files    *attacks.Outside  // the content of dir
	listener *attacks.Listener
	opens    string // the recipient of the key for sops
}

func newVictim(t *testing.T, attack attacks.Attack) *victim {
	t.Helper()
	v := &victim{testNamespace: newTestNamespace(t), attack: attack, dir: t.TempDir()}
	var err error
	v.files, err = attacks.NewOutside(v.dir, outsideAt)
	v.must(err)
	v.must(giveTo(v.dir, podUser))
	v.mountable(v.dir)
	key, err := age.GenerateX25519Identity()
	v.must(err)
	v.opens = key.Recipient().String()
	v.canaries = map[string]string{
		"the key of sops":          strings.TrimPrefix(key.String(), "AGE-SECRET-KEY-"),
		"an environment variable":  "environment-" + rand.Text(),
		"the password of git":      password,
		"the token of a key store": "store-" + rand.Text(),
		"the pod's token":          v.tokenHeader(),
	}
	maps.Copy(v.canaries, v.files.Canaries)
	v.secret(keySecret, core.SecretTypeOpaque, map[string]string{attacks.KeyFile: key.String() + "\n"})
	v.secret(environment, core.SecretTypeOpaque, map[string]string{
		"CANARY_ENV":                v.canaries["an environment variable"],
		"VAULT_TOKEN":               v.canaries["the token of a key store"],
		"AWS_ACCESS_KEY_ID":         "AKIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY":     v.canaries["the token of a key store"],
		"AWS_EC2_METADATA_DISABLED": "true",
	})
	v.listener, err = attacks.NewListener(cluster.BridgeAddress, attack.Archive, v.words())
	v.must(err)
	t.Cleanup(v.listener.Close)
	return v
}

// words returns the replacer of the placeholders in attack.yaml and in the files of the repository.
func (v *victim) words() *strings.Replacer {
	return attacks.Surroundings{Outside: outsideAt, TokenFile: token, Keys: keysAt, Namespace: v.namespace, Listener: v.listener}.Words()
}

// tokenHeader is the first part of every token of the API server. The pod's token is not known before the pod exists.
func (p *testNamespace) tokenHeader() string {
	p.t.Helper()
	request, err := p.client.CoreV1().ServiceAccounts(p.namespace).CreateToken(p.t.Context(), "default", &authentication.TokenRequest{}, meta.CreateOptions{})
	p.must(err)
	header, _, _ := strings.Cut(request.Status.Token, ".")
	return header
}

// mountable makes a directory of this machine a volume in the namespace. The profile restricted allows this only with a claim.
func (p *testNamespace) mountable(dir string) {
	p.t.Helper()
	none := ""
	size := core.ResourceList{core.ResourceStorage: resource.MustParse("1Mi")}
	access := []core.PersistentVolumeAccessMode{core.ReadWriteMany}
	_, err := clientOf(p.t, cluster.Admin).CoreV1().PersistentVolumes().Create(p.t.Context(), &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: p.namespace},
		Spec: core.PersistentVolumeSpec{
			Capacity: size, AccessModes: access, PersistentVolumeReclaimPolicy: core.PersistentVolumeReclaimRetain,
			PersistentVolumeSource: core.PersistentVolumeSource{HostPath: &core.HostPathVolumeSource{Path: dir}},
			ClaimRef:               &core.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: p.namespace, Name: volume},
		},
	}, meta.CreateOptions{})
	p.must(err)
	_, err = p.client.CoreV1().PersistentVolumeClaims(p.namespace).Create(p.t.Context(), &core.PersistentVolumeClaim{
		ObjectMeta: meta.ObjectMeta{Name: volume},
		Spec: core.PersistentVolumeClaimSpec{
			AccessModes: access, StorageClassName: &none, VolumeName: p.namespace, Resources: core.VolumeResourceRequirements{Requests: size},
		},
	}, meta.CreateOptions{})
	p.must(err)
}

func giveTo(dir string, user int) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, user, user)
	})
}

// run installs the chart, and runs the agent once on the repository of the attack.
func (v *victim) run() outcome {
	v.t.Helper()
	dir := v.t.TempDir()
	v.must(v.attack.Write(dir, v.words()))
	v.must(v.repo.CommitDir(dir, attackCommit))
	var args []string
	for _, arg := range v.attack.Args {
		args = append(args, v.words().Replace(arg))
	}
	a := v.install("gitops", values{
		"config":            values{"sandbox": "required", "output": "json", "logLevel": "debug", "timeout": "45s"},
		"sops":              values{"existingSecret": keySecret},
		"extraArgs":         args,
		"extraEnvFrom":      []values{{"secretRef": values{"name": environment}}},
		"extraVolumes":      []values{{"name": volume, "persistentVolumeClaim": values{"claimName": volume}}},
		"extraVolumeMounts": []values{{"name": volume, "mountPath": outsideAt}},
	})
	o := a.run("run")
	if len(o.codes) != 1 {
		v.t.Fatalf("%s: want the exit code of one pod: %s", o, v.story())
	}
	v.t.Logf("%s ends with %d", v.attack.Name, o.codes[0])
	v.expectMounted(o.job)
	if outside.git.Count("/"+v.name+"/git-upload-pack") == 0 {
		v.t.Fatalf("the agent did not fetch the repository, so the attack was not tried: %s", v.story())
	}
	return o
}

// expectMounted checks that the files that attacks try to read exist in the pod.
func (v *victim) expectMounted(job string) {
	v.t.Helper()
	var mounted []string
	for _, mount := range v.pods(job)[0].Spec.Containers[0].VolumeMounts {
		mounted = append(mounted, mount.MountPath)
	}
	for _, path := range []string{outsideAt, keysAt, filepath.Dir(token)} {
		if !slices.Contains(mounted, path) {
			v.t.Errorf("%s is not mounted: the pod has %v", path, mounted)
		}
	}
}

// expectDefended fails the test if the attack had any effect, or if the run ended in an unexpected way.
func (v *victim) expectDefended() {
	v.t.Helper()
	for _, wrong := range v.attack.Judge(v.attacked(), v.words(), nil) {
		v.t.Error(wrong)
	}
	if v.t.Failed() {
		v.t.Logf("%.4000s", v.story())
	}
}

// attacked runs the agent, and searches for the effects of the attack.
func (v *victim) attacked() attacks.Outcome {
	v.t.Helper()
	ended := v.run()
	places := v.objects()
	places["the logs"] = v.logs(ended.job)
	places["the termination message"] = ended.message
	places["the listener"] = v.listener.Received()
	found := v.attack.Search(places, v.canaries, v.words())
	found.Add(attacks.Reached, v.listener.Hits()...)
	changed, err := v.files.Changed()
	v.must(err)
	found.Add(attacks.Written, changed...)
	return attacks.Outcome{Code: ended.codes[0], Output: places["the logs"], Deployed: v.configMaps(), Findings: found}
}

func (p *testNamespace) logs(job string) string {
	p.t.Helper()
	var all strings.Builder
	for _, pod := range p.pods(job) {
		logs, err := p.client.CoreV1().Pods(p.namespace).GetLogs(pod.Name, &core.PodLogOptions{}).DoRaw(p.t.Context())
		p.must(err)
		all.Write(logs)
	}
	return all.String()
}

func (p *testNamespace) configMaps() (names []string) {
	p.t.Helper()
	list, err := p.client.CoreV1().ConfigMaps(p.namespace).List(p.t.Context(), meta.ListOptions{})
	p.must(err)
	for _, object := range list.Items {
		names = append(names, object.Name)
	}
	return names
}
