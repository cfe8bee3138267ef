package render

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
)

// refused are values that must not be rendered, and what people are told.
var refused = map[string]struct{ values, says string }{
	"no repository":                 {"{}", "config.repo is missing: set the URL of the Git repository with your helmfile"},
	"an empty repository":           {"config: {repo: ''}", "config.repo is missing"},
	"credentials in the URL":        {"config: {repo: 'https://ada:secret@git.example.com/shop'}", "put them into a Secret with the keys username and password, and name the Secret in git.existingSecret"},
	"a token in the URL":            {"config: {repo: 'https://secret@git.example.com/shop'}", "config.repo contains credentials"},
	"a password in an SSH URL":      {"config: {repo: 'ssh://git:secret@git.example.com/shop'}", "config.repo contains credentials"},
	"a password as a value":         {"config: {repo: x, gitPassword: secret}", "additional properties 'gitPassword' not allowed"},
	"a typo at the top level":       {"cronJob: {schedule: x}\n" + given, "additional properties 'cronJob' not allowed"},
	"a typo in a section":           {"cronjob: {shedule: x}\n" + given, "at '/cronjob': additional properties 'shedule' not allowed"},
	"a typo in config":              {"config: {repo: x, rev: main}", "at '/config': additional properties 'rev' not allowed"},
	"a number for a text in config": {"config: {repo: x, ref: 1.10}", "at '/config/ref'"},
	"a text for a list in config":   {"config: {repo: x, selector: a=b}", "at '/config/selector'"},
	"an unknown choice in config":   {"config: {repo: x, prune: sometimes}", "at '/config/prune': value must be one of 'two-step', 'report', 'off'"},
	"a setting of diff for run":     {"config: {repo: x, detailedExitcode: true}", "at '/config/detailedExitcode'"},
	"a setting of destroy":          {"config: {repo: x, 'yes': true}", "at '/config': additional properties 'yes' not allowed"},
	"a setting of access":           {"config: {repo: x, roles: true}", "at '/config': additional properties 'roles' not allowed"},
	"a checkout and a repository":   {"{command: diff, config: {repo: x, dir: /checkout}}", "at '/config': additional properties 'dir' not allowed"},
	"a duration without a unit":     {"config: {repo: x, timeout: '600'}", "at '/config/timeout'"},
	"a schedule of two fields":      {"cronjob: {schedule: '* *'}\n" + given, "at '/cronjob/schedule'"},
	"a time zone in the schedule":   {"cronjob: {schedule: 'TZ=UTC * * * * *'}\n" + given, "at '/cronjob/schedule'"},
	"an unknown policy":             {"cronjob: {concurrencyPolicy: forbid}\n" + given, "at '/cronjob/concurrencyPolicy'"},
	"a text for a number":           {"job: {backoffLimit: 'none'}\n" + given, "at '/job/backoffLimit'"},
	"a negative number":             {"job: {backoffLimit: -1}\n" + given, "at '/job/backoffLimit'"},
	"a text for a boolean":          {"cronjob: {suspend: 'no'}\n" + given, "at '/cronjob/suspend'"},
	"an unknown mode":               {"rbac: {mode: cluster}\n" + given, "at '/rbac/mode'"},
	"a wildcard verb":               {"rbac: {rules: [{apiGroups: [''], resources: [pods], verbs: ['*']}]}\n" + given, "at '/rbac/rules/0/verbs/0'"},
	"a wildcard resource":           {"rbac: {rules: [{apiGroups: [''], resources: ['*'], verbs: [get]}]}\n" + given, "at '/rbac/rules/0/resources/0'"},
	"a wildcard kind":               {"rbac: {kinds: ['*']}\n" + given, "at '/rbac/kinds/0'"},
	"a rule without verbs":          {"rbac: {rules: [{apiGroups: [''], resources: [pods]}]}\n" + given, "at '/rbac/rules/0'"},
	"a rule for a URL":              {"rbac: {rules: [{nonResourceURLs: ['/metrics'], verbs: [get]}]}\n" + given, "at '/rbac/rules/0'"},
	"no validity for the token":     {"serviceAccount: {tokenExpirationSeconds: null}\n" + given, "at '/serviceAccount': missing property 'tokenExpirationSeconds'"},
	"a token below the minimum":     {"serviceAccount: {tokenExpirationSeconds: 599}\n" + given, "at '/serviceAccount/tokenExpirationSeconds'"},
	"a token above the maximum":     {"serviceAccount: {tokenExpirationSeconds: 86401}\n" + given, "at '/serviceAccount/tokenExpirationSeconds'"},
	"a token valid for a year":      {"serviceAccount: {tokenExpirationSeconds: 3607}\n" + given, "at '/serviceAccount/tokenExpirationSeconds'"},
	"no namespace for releases":     {"rbac: {releasesInOwnNamespace: false}\n" + given, "rbac.releasesInOwnNamespace is false, but rbac.namespaces names no other namespace"},
	"its own namespace, excluded":   {"rbac: {releasesInOwnNamespace: false, namespaces: [shop, blue]}\n" + given, "rbac.namespaces contains the agent's own namespace shop"},
	"an existing role, reduced":     {"rbac: {mode: bind, releasesInOwnNamespace: false, namespaces: [blue]}\n" + given, "rbac.releasesInOwnNamespace is false, but rbac.mode is bind"},
	"an unknown kind to keep":       {"keep: [Secret]\n" + given, "at '/keep/0'"},
	"a digest of another kind":      {"image: {digest: 'md5:1'}\n" + given, "at '/image/digest'"},
	"a deadline below the timeout":  {"job: {activeDeadlineSeconds: 600}\n" + given, "job.activeDeadlineSeconds is 600, but config.timeout is 600 seconds: raise job.activeDeadlineSeconds or lower config.timeout"},
	"a deadline of zero":            {"job: {activeDeadlineSeconds: 0}\n" + given, "job.activeDeadlineSeconds is 0"},
	"a policy that needs Never":     {"job: {restartPolicy: OnFailure}\n" + given, "job.restartPolicy must be Never if job.podFailurePolicy is set"},
	"a policy that needs Failed":    {"job: {podReplacementPolicy: TerminatingOrFailed}\n" + given, "job.podReplacementPolicy must be Failed if job.podFailurePolicy is set"},
	"a typo in a failure's rule":    {"job: {podFailurePolicy: {rules: [{action: Ignore, onExitCode: {}}]}}\n" + given, "at '/job/podFailurePolicy/rules/0': additional properties 'onExitCode' not allowed"},
	"a typo in a variable":          {"extraEnv: [{name: A, vaule: b}]\n" + given, "at '/extraEnv/0': additional properties 'vaule' not allowed"},
	"a local time zone":             {"cronjob: {timeZone: Local}\n" + given, "at '/cronjob/timeZone'"},
	"null for a section":            {"job: null\n" + given, "missing property 'job'"},
	"null for a required value":     {"image: {repository: null}\n" + given, "at '/image': missing property 'repository'"},
	"null for a threshold":          {"prometheusRule: {stuck: null}\n" + given, "at '/prometheusRule': missing property 'stuck'"},
	"a ClusterRole as extra":        {"extraObjects: [{kind: ClusterRole}]\n" + given, "extraObjects contains a ClusterRole, but this chart is for one namespace"},
	"the second of two documents":   {"extraObjects: [\"{kind: Secret}\\n---\\nkind: ClusterRoleBinding\\n\"]\n" + given, "extraObjects contains a ClusterRoleBinding"},
	"a kind from a template":        {"extraObjects: [\"kind: {{ print `Cluster` `Role` }}\"]\n" + given, "extraObjects contains a ClusterRole"},
	"a ClusterRole in a List":       {"extraObjects: [{kind: List, items: [{kind: ClusterRole}]}]\n" + given, "extraObjects contains a List"},
	"a ClusterRoleList":             {"extraObjects: [{kind: ClusterRoleList, items: [{kind: ClusterRole}]}]\n" + given, "extraObjects contains a ClusterRoleList"},
	"a CRD as extra":                {"extraObjects: [{kind: CustomResourceDefinition}]\n" + given, "extraObjects contains a CustomResourceDefinition"},
	"a Role with all verbs":         {"extraObjects: [{kind: Role, rules: [{verbs: ['*']}]}]\n" + given, "extraObjects contains a Role with the verb *"},
	"an extra that is not YAML":     {"extraObjects: ['a: b: c']\n" + given, "extraObjects contains text that is not YAML"},
}

func TestRefusedValues(t *testing.T) {
	for name, test := range refused {
		t.Run(name, func(t *testing.T) {
			_, err := render(t, test.values)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got the error %v, want one that says %q", err, test.says)
			}
		})
	}
}

// accepted are values that look as if something were wrong with them.
var accepted = map[string]string{
	"what a parent chart adds":         "{global: {imageRegistry: registry.example.com, theirs: 1}, enabled: true}",
	"a setting of diff for diff":       "{command: diff, config: {detailedExitcode: true}}",
	"a setting of diff, not wanted":    "config: {detailedExitcode: false}",
	"a dry run":                        "config: {dryRun: true}",
	"null for optional values":         "{config: {timeout: null, ref: null, selector: null}, cronjob: {timeZone: null}, job: {activeDeadlineSeconds: null}}",
	"null for whole sections":          "{podSecurityContext: null, securityContext: null, resources: null, rbac: {kinds: null, rules: null, namespaces: null}, extraObjects: null, keep: null, commonLabels: null}",
	"a schedule with @hourly":          "cronjob: {schedule: '@hourly'}",
	"a schedule with names and a step": "cronjob: {schedule: '*/7 1-5 * JAN-MAR MON,WED'}",
	"a number that is a text":          "config: {ref: '1.10'}",
	"an SSH URL with its user":         "config: {repo: 'ssh://git@git.example.com/shop'}",
	"a scp-like repository":            "config: {repo: 'git@git.example.com:shop'}",
	"a text with several documents":    "extraObjects: [\"---\\n{apiVersion: v1, kind: Secret, metadata: {name: a}}\\n---\\n{apiVersion: v1, kind: Secret, metadata: {name: b}}\\n\"]",
	"a text that renders to nothing":   "extraObjects: ['{{ if false }}kind: Secret{{ end }}']",
}

func TestAcceptedValues(t *testing.T) {
	for name, values := range accepted {
		t.Run(name, func(t *testing.T) { must(t, given, values) })
	}
}

// TestConfig: the file has what the values say, what follows from other values, and nothing that was not given.
func TestConfig(t *testing.T) {
	for name, test := range map[string]struct{ values, file string }{
		"only the repository": {"{}", "{repo: 'https://git.example.com/shop/config', instance: shop-agent-helmfile-agent, agentRelease: shop-agent}"},
		"null":                {"config: {instance: null, ref: null}", "{repo: 'https://git.example.com/shop/config', instance: shop-agent-helmfile-agent, agentRelease: shop-agent}"},
		"types are kept": {
			"config: {concurrency: 8, ref: '1.10', selector: [a=b], dryRun: false, instance: own}",
			"{repo: 'https://git.example.com/shop/config', concurrency: 8, ref: '1.10', selector: [a=b], dryRun: false, instance: own, agentRelease: shop-agent}",
		},
		"HTTPS needs no files": {"git: {existingSecret: git}", "{repo: 'https://git.example.com/shop/config', instance: shop-agent-helmfile-agent, agentRelease: shop-agent, ownSecrets: [git]}"},
		"an authority is a file": {
			"git: {existingSecret: git, caKey: ca.crt}",
			"{repo: 'https://git.example.com/shop/config', instance: shop-agent-helmfile-agent, agentRelease: shop-agent, gitCAFile: /etc/helmfile-agent/git/ca.crt, ownSecrets: [git]}",
		},
		"SSH needs files": {
			"{config: {repo: 'git@git.example.com:shop'}, git: {existingSecret: git}}",
			"{repo: 'git@git.example.com:shop', instance: shop-agent-helmfile-agent, agentRelease: shop-agent, gitSSHKeyFile: /etc/helmfile-agent/git/identity, gitKnownHostsFile: /etc/helmfile-agent/git/known_hosts, ownSecrets: [git]}",
		},
		"config overrides derived keys": {
			"{config: {gitCAFile: /mine/ca.crt}, git: {existingSecret: git, caKey: ca.crt}}",
			"{repo: 'https://git.example.com/shop/config', instance: shop-agent-helmfile-agent, agentRelease: shop-agent, gitCAFile: /mine/ca.crt, ownSecrets: [git]}",
		},
		"keys for sops are a directory": {
			"sops: {existingSecret: keys}",
			"{repo: 'https://git.example.com/shop/config', instance: shop-agent-helmfile-agent, agentRelease: shop-agent, sopsKeys: /etc/helmfile-agent/sops, ownSecrets: [keys]}",
		},
		"ownSecrets has every Secret of the pod": {
			"{config: {ownSecrets: [mine]}, registry: {existingSecret: registry}, imagePullSecrets: [{name: pull}], extraEnv: [{name: A, value: b}, {name: C, valueFrom: {secretKeyRef: {name: env, key: c}}}], " +
				"extraEnvFrom: [{secretRef: {name: from}}, {configMapRef: {name: other}}], extraVolumes: [{name: v, secret: {secretName: volume}}, " +
				"{name: p, projected: {sources: [{secret: {name: projected}}, {secret: {name: env}}]}}, {name: e, emptyDir: {}}]}",
			"{repo: 'https://git.example.com/shop/config', instance: shop-agent-helmfile-agent, agentRelease: shop-agent, ownSecrets: [registry, pull, env, from, volume, projected, mine]}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(layered(t, "gitMaxSize: 96Mi", test.file), settings(t, must(t, given, test.values))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEverySettingIsKnown: the agent refuses a file with a key that it does not know.
func TestEverySettingIsKnown(t *testing.T) {
	known := config.Schema(config.Run)
	for _, values := range []string{"git: {existingSecret: git, caKey: ca.crt}", "{config: {repo: 'git@x:y'}, git: {existingSecret: git}}", "sops: {existingSecret: keys}"} {
		for key := range settings(t, must(t, given, values)) {
			if known[key] == nil {
				t.Errorf("%s: the agent does not know the key %q", values, key)
			}
		}
	}
}

// TestEachCommandHonoursTheChartsSettings: the CronJob's command and the test's, which is access, read one file. It holds no setting that
// either of them refuses; those are arguments.
func TestEachCommandHonoursTheChartsSettings(t *testing.T) {
	for _, command := range []string{config.Run, config.Diff} {
		offered := map[string]any{}
		for name := range settingsOf(command) {
			if example := examples[name]; example != nil {
				offered[name] = example
			}
		}
		values := map[string]any{"command": command, "config": offered}
		rendered, err := Render(loaded(t), shop, values)
		if err != nil {
			t.Fatal(err)
		}
		all := objects(t, rendered)
		file := filepath.Join(t.TempDir(), "agent.yaml")
		content, err := yaml.Marshal(settings(t, all))
		if err != nil {
			t.Fatal(err)
		}
		write(t, file, content)
		for _, pod := range []core.PodSpec{podOf(find[*batch.CronJob](t, all)), find[*core.Pod](t, all).Spec} {
			args := pod.Containers[0].Args
			flags := pflag.NewFlagSet(args[0], pflag.ContinueOnError)
			config.Flags(flags, args[0])
			if err := flags.Parse(append(args[1:], "--config="+file)); err != nil {
				t.Errorf("%q: %v", args, err)
				continue
			}
			loaded, err := config.Load(args[0], flags, nil)
			if err != nil || loaded.DetailedExitcode != (args[0] == config.Diff) || !loaded.DryRun {
				t.Errorf("%q: %v, detailedExitcode %t, dryRun %t", args, err, loaded.DetailedExitcode, loaded.DryRun)
			}
		}
	}
}

// examples ask something of a command.
var examples = map[string]any{
	"repo": "https://git.example.com/shop/config", "selector": []any{"app=web"}, "dryRun": true, "detailedExitcode": true,
	"yes": true, "roles": true, "dir": "/checkout", "prune": "report", "drift": "warn", "pruneAllow": "0123456",
}

// TestChecksum: the pods' annotation changes with the file, and only with it.
func TestChecksum(t *testing.T) {
	sum := func(values string) string {
		return cronJob(t, values).Spec.JobTemplate.Spec.Template.Annotations["checksum/config"]
	}
	if one := sum("{}"); len(one) != 64 || one != sum("cronjob: {suspend: true}") || one == sum("config: {ref: main}") {
		t.Errorf("the checksum %q does not follow the configuration", one)
	}
}

// TestSecretsAreReferences: credentials come from the Secret that is named, by the keys that are named.
func TestSecretsAreReferences(t *testing.T) {
	pod := podOf(cronJob(t, "git: {existingSecret: git, passwordKey: token}"))
	got := map[string]string{}
	for _, variable := range pod.Containers[0].Env {
		if from := variable.ValueFrom; from != nil {
			got[variable.Name] = from.SecretKeyRef.Name + " " + from.SecretKeyRef.Key
		}
	}
	want := map[string]string{"HELMFILE_AGENT_GIT_USERNAME": "git username", "HELMFILE_AGENT_GIT_PASSWORD": "git token"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	pod = podOf(cronJob(t, "{config: {repo: 'git@x:y'}, git: {existingSecret: git, identityKey: ssh-privatekey, passwordKey: null, usernameKey: null}, sops: {existingSecret: keys}, registry: {existingSecret: docker}}"))
	mounted := map[string][]string{}
	for _, volume := range pod.Volumes {
		if volume.Secret != nil {
			mounted[volume.Secret.SecretName] = paths(volume.Secret.Items)
		}
	}
	wanted := map[string][]string{"git": {"ssh-privatekey=identity", "known_hosts=known_hosts"}, "keys": nil, "docker": {".dockerconfigjson=config.json"}}
	if diff := cmp.Diff(wanted, mounted); diff != "" {
		t.Error(diff)
	}
}

func paths(items []core.KeyToPath) (lines []string) {
	for _, item := range items {
		lines = append(lines, item.Key+"="+item.Path)
	}
	return lines
}
