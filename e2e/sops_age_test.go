package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

const sopsAge = "../examples/sops-age"

// TestSopsAgeExample runs the commands in the README of the example, in a copy of the example.
func TestSopsAgeExample(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	files := tree(t, sopsAge)
	commands := shell(files["README.md"])
	if len(commands) != 6 {
		t.Fatalf("the README has %d blocks of commands", len(commands))
	}
	script := "set -eu\n" + strings.Replace(strings.Join(commands, ""), "namespace=shop\n", "namespace="+u.namespace+"\n", 1)
	dir := checkout(t, files)
	path := filepath.Join(t.TempDir(), "commands.sh")
	check(t, os.WriteFile(path, []byte(script), 0o600))

	r := u.runProgram(dir, "/bin/sh", path)
	if r.code != 0 {
		t.Fatalf("the commands fail: %s", r)
	}
	contains(t, r.stdout, "database   installed", "database   unchanged", "password: '++++++++ # (28 bytes)'")
	if strings.Contains(r.String(), "correct-horse") {
		t.Errorf("the password is shown: %s", r)
	}
	secret := must(client(t).CoreV1().Secrets(u.namespace).Get(t.Context(), "database", meta.GetOptions{}))(t)
	if got := string(secret.Data["password"]); got != "correct-horse-battery-staple" {
		t.Errorf("the password is %q", got)
	}
	committed := u.runProgram(dir, "git", "grep", "-e", "correct-horse", "-e", "AGE-SECRET-KEY", "main~1", "main", "--", "secrets", "keys", ".sops.yaml")
	if committed.code != 1 { // git grep finds nothing
		t.Errorf("the repository contains a secret or a key: %s", committed)
	}
}

// TestSopsAgeCronJob checks that the API server accepts the CronJob of the example, that the keys are mounted at the path of --sops-keys, and
// that /tmp is in memory.
func TestSopsAgeCronJob(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	var job batch.CronJob
	check(t, yaml.UnmarshalStrict([]byte(tree(t, sopsAge)["cronjob.yaml"]), &job))
	made := must(client(t).BatchV1().CronJobs(u.namespace).Create(t.Context(), &job, meta.CreateOptions{FieldValidation: meta.FieldValidationStrict}))(t)
	pod := made.Spec.JobTemplate.Spec.Template.Spec
	mounts := map[string]core.Volume{}
	for _, volume := range pod.Volumes {
		for _, mounted := range pod.Containers[0].VolumeMounts {
			if volume.Name == mounted.Name {
				mounts[mounted.MountPath] = volume
			}
		}
	}
	if tmp := mounts["/tmp"].EmptyDir; tmp == nil || tmp.Medium != core.StorageMediumMemory {
		t.Errorf("/tmp is %v", tmp)
	}
	if keys := mounts["/keys"].Secret; keys == nil || keys.SecretName != "sops-age" {
		t.Errorf("/keys is %v", keys)
	}
	contains(t, strings.Join(pod.Containers[0].Args, " "), "--sops-keys=/keys")
}

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$") //nolint:gocritic // each ^ begins a line

// shell returns the blocks of commands in a page.
func shell(page string) []string {
	var commands []string
	for _, found := range shellBlock.FindAllStringSubmatch(page, -1) {
		commands = append(commands, found[1])
	}
	return commands
}
