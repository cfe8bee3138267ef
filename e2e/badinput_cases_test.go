package e2e

import _ "embed"

var badConfiguration = []badInput{
	{
		does: "an unknown flag",
		args: []string{"--environmnet", "production"},
		code: configInvalid, names: []string{"--environmnet", "helmfile-agent run --help"},
	},
	{
		does:  "an unknown command",
		calls: "aply",
		code:  configInvalid, names: []string{`"aply"`, "helmfile-agent --help"},
	},
	{
		does: "an argument that belongs to no flag",
		args: []string{"production"},
		code: configInvalid, names: []string{"production", "helmfile-agent run --help"},
	},
	{
		does: "an unknown environment variable",
		env:  []string{"HELMFILE_AGENT_ENVIRONMNET=production"},
		code: configInvalid, names: []string{"HELMFILE_AGENT_ENVIRONMNET", "did you mean HELMFILE_AGENT_ENVIRONMENT?"},
	},
	{
		does:  "an unknown key in the configuration file",
		local: files{"agent.yaml": "environment: default\ntimeOut: 5m\n"},
		args:  []string{"--config", "agent.yaml"},
		code:  configInvalid, names: []string{"agent.yaml:2", `"timeOut"`, "did you mean timeout?"},
	},
	{
		does:  "a configuration file that is not YAML",
		local: files{"agent.yaml": "timeout: 5m\nenvironment: [default\n"},
		args:  []string{"--config", "agent.yaml"},
		code:  configInvalid, names: []string{"agent.yaml:", "is not YAML"},
	},
	{
		does: "a configuration file that is not there",
		args: []string{"--config", "/etc/none/agent.yaml"},
		code: configInvalid, names: []string{"flag --config", "/etc/none/agent.yaml", "no such file"},
	},
	{
		does: "a duration without a unit",
		args: []string{"--timeout", "10"},
		code: configInvalid, names: []string{"flag --timeout", `"10"`, "write it like 90s"},
	},
	{
		does: "a concurrency that is none",
		env:  []string{"HELMFILE_AGENT_CONCURRENCY=0"},
		code: configInvalid, names: []string{"HELMFILE_AGENT_CONCURRENCY", `"0"`, "1 to 64"},
	},
	{
		does: "no repository",
		args: []string{"--repo", ""},
		code: configInvalid, names: []string{"repo: is not given", "--repo", "HELMFILE_AGENT_REPO"},
	},
	{
		does: "a repository that is not a URL",
		args: []string{"--repo", "github.com/acme/config"},
		code: configInvalid, names: []string{"flag --repo", `"github.com/acme/config"`, "https://host/path"},
	},
	{
		does:  "both a repository and a directory",
		calls: "diff",
		args:  []string{"--dir", "."},
		code:  configInvalid, names: []string{"flag --dir", "repo", "remove one of them"},
	},
	{
		does: "a name that no instance can have",
		args: []string{"--instance", "Team A"},
		code: configInvalid, names: []string{"flag --instance", `"Team A"`, "lower-case letters"},
	},
	{
		does: "a path that leads out of the repository",
		args: []string{"--path", "../other/helmfile.yaml"},
		code: configInvalid, names: []string{"flag --path", `"../other/helmfile.yaml"`, "without .."},
	},
	{
		does: "a password file that is not there",
		args: []string{"--git-password-file", "/run/none/password"},
		code: configInvalid, names: []string{"flag --git-password-file", "/run/none/password"},
	},
	{
		does:  "many mistakes at once",
		local: files{"agent.yaml": "output: xml\nnonsense: true\n"},
		args:  []string{"--config", "agent.yaml", "--timeout", "-5m", "--concurrency", "many", "--ref", "HEAD~1"},
		env:   []string{"HELMFILE_AGENT_LOG_LEVEL=loud", "HELMFILE_AGENT_GIT_PASWORD=<password>"},
		code:  configInvalid, names: []string{"7 problems", "agent.yaml:1", `"xml"`, "agent.yaml:2", `"nonsense"`, "--timeout", "--concurrency", "--ref",
			"HELMFILE_AGENT_LOG_LEVEL", "HELMFILE_AGENT_GIT_PASWORD"},
	},
	{
		does: "a kubeconfig that is not there",
		args: []string{"--kubeconfig", "/etc/none/kubeconfig"},
		code: configInvalid, names: []string{"flag --kubeconfig", "/etc/none/kubeconfig", "no such file"},
	},
	{
		does: "a context that the kubeconfig has not",
		args: []string{"--context", "production"},
		code: configInvalid, names: []string{`"production"`, "context"},
	},
	{
		does:  "a kubeconfig that is not YAML",
		local: files{"kubeconfig": "apiVersion: v1\n\tkind: Config\n"},
		args:  []string{"--kubeconfig", "kubeconfig"},
		code:  configInvalid, names: []string{"kubeconfig"},
	},
}

var badSource = []badInput{
	{
		does: "a repository that the server does not have",
		args: []string{"--repo", "<git>/none.git"},
		code: unreachable, names: []string{"<git>/none.git", "repository not found"},
	},
	{
		does: "a repository that is not at the path",
		args: []string{"--repo", "/srv/none/config.git"},
		code: unreachable, names: []string{"/srv/none/config.git", "repository not found"},
	},
	{
		does: "a git server that is down",
		args: []string{"--repo", "http://<dead>/config.git"},
		code: unreachable, names: []string{"http://<dead>/config.git", "connection refused"},
	},
	{
		does: "a git server that nobody knows",
		args: []string{"--repo", "https://git.acme.invalid/config.git"},
		code: unreachable, names: []string{"https://git.acme.invalid/config.git", "git.acme.invalid"},
	},
	{
		does: "a repository without a commit",
		args: []string{"--repo", "<git>/empty.git"},
		code: unreachable, names: []string{"<git>/empty.git", "is empty", "push a commit"},
	},
	{
		does: "no credentials for a private repository",
		args: []string{"--repo", "<private>"},
		code: sourceRefused, names: []string{"<private>", "authentication required", "credentials are missing or wrong"},
	},
	{
		does: "the wrong password for a private repository",
		args: []string{"--repo", "<private>", "--git-username", "ada", "--git-allow-plain-http"},
		env:  []string{"HELMFILE_AGENT_GIT_PASSWORD=<password>"},
		code: sourceRefused, names: []string{"<private>", "credentials are missing or wrong"},
	},
	{
		does: "the wrong password in the URL of a private repository",
		args: []string{"--repo", "http://ada:<password>@<private-host>", "--git-allow-plain-http"},
		code: sourceRefused, names: []string{"<private>", "credentials are missing or wrong"},
	},
	{
		does: "a password over plain http",
		args: []string{"--repo", "<private>"},
		env:  []string{"HELMFILE_AGENT_GIT_PASSWORD=<password>"},
		code: configInvalid, names: []string{"<private>", "plain http", "gitAllowPlainHttp"},
	},
	{
		does: "the wrong branch",
		args: []string{"--ref", "production"},
		code: sourceRefused, names: []string{"<repo>", `"production"`, "the branches are main"},
	},
	{
		does: "a tag that does not exist",
		args: []string{"--ref", "refs/tags/v1.0.0"},
		code: sourceRefused, names: []string{"<repo>", `"refs/tags/v1.0.0"`},
	},
	{
		does: "a commit that does not exist",
		args: []string{"--ref", "0123456789012345678901234567890123456789"},
		code: sourceRefused, names: []string{"<repo>", `"0123456789012345678901234567890123456789"`},
	},
	{
		does:  "SSH without a known host",
		local: files{"key": "<client-key>"},
		args:  []string{"--repo", "<ssh>", "--git-ssh-key-file", "key"},
		code:  sourceRefused, names: []string{"<ssh>", "no SSH host key is trusted", "ssh-keyscan", "gitKnownHostsFile"},
	},
	{
		does:  "SSH with another host key than the known one",
		local: files{"key": "<client-key>", "known_hosts": "<distrusted>\n"},
		args:  []string{"--repo", "<ssh>", "--git-ssh-key-file", "key", "--git-known-hosts-file", "known_hosts"},
		code:  sourceRefused, names: []string{"<ssh>", "another key than the known one", "ssh-keyscan"},
	},
	{
		does:  "SSH without a key",
		local: files{"known_hosts": "<trusted>\n"},
		args:  []string{"--repo", "<ssh>", "--git-known-hosts-file", "known_hosts"},
		code:  sourceRefused, names: []string{"<ssh>", "gitSSHKeyFile"},
	},
	{
		does:  "SSH with a password that is wrong",
		local: files{"known_hosts": "<trusted>\n"},
		args:  []string{"--repo", "<ssh>", "--git-known-hosts-file", "known_hosts"},
		env:   []string{"HELMFILE_AGENT_GIT_PASSWORD=<password>"},
		code:  sourceRefused, names: []string{"<ssh>", "refuses the SSH key or password"},
	},
}

var badHelmfile = []badInput{
	{
		does:  "a repository without a helmfile",
		files: files{"helmfile.yaml": deleted, "README.md": "Nothing here.\n"},
		code:  desiredInvalid, names: []string{"helmfile.yaml", "helmfile.d"},
	},
	{
		does: "a path to a file that is not there",
		args: []string{"--path", "deploy/helmfile.yaml"},
		code: desiredInvalid, names: []string{"deploy/helmfile.yaml", "not found"},
	},
	{
		does: "a path to a directory without helmfiles",
		args: []string{"--path", "charts"},
		code: desiredInvalid, names: []string{"no helmfile found: charts has no file whose name ends in .yaml"},
	},
	{
		does:  "a YAML error",
		files: good("chart: ./charts/small", "values: [", "  text: [second"),
		code:  desiredInvalid, names: []string{"helmfile.yaml", "line 4"},
	},
	{
		does: "a YAML error in a nested file",
		files: files{"helmfile.yaml": "helmfiles:\n  - apps/web/helmfile.yaml\nreleases:\n" + second,
			"apps/web/helmfile.yaml": "releases:\n  - name: good\n    chart: [\n"},
		code: desiredInvalid, names: []string{"apps/web/helmfile.yaml", "line 3"},
	},
	{
		does:  "a nested file that is not there",
		files: files{"helmfile.yaml": "helmfiles:\n  - apps/web/helmfile.yaml\nreleases:\n" + second},
		code:  desiredInvalid, names: []string{"helmfile.yaml", "apps/web/helmfile.yaml"},
	},
	{
		does:  "a file that is not a helmfile",
		files: files{"helmfile.yaml": "just some words\n"},
		code:  desiredInvalid, names: []string{"helmfile.yaml"},
	},
	{
		does:  "an unknown field of the state",
		files: files{"helmfile.yaml": "helmDefualts:\n  wait: true\nreleases:\n" + second},
		code:  desiredInvalid, names: []string{"helmfile.yaml: line 1", "helmDefualts"},
	},
	{
		does:  "an unknown field of a release",
		files: good("chart: ./charts/small", "vallues: []"),
		code:  desiredInvalid, names: []string{"helmfile.yaml: line 4", "vallues"},
	},
	{
		does:  "a field of the wrong type",
		files: good("chart: ./charts/small", "wait: perhaps"),
		code:  desiredInvalid, names: []string{"helmfile.yaml", "line 4", "perhaps", "bool"},
	},
	{
		does:  "a template error",
		files: files{"helmfile.yaml": deleted, "helmfile.yaml.gotmpl": "releases:\n  - name: good\n    chart: {{ .Values.charts.small }}\n" + second},
		code:  desiredInvalid, names: []string{"helmfile.yaml.gotmpl: line 3:", "charts"},
	},
	{
		does:  "a template that cannot be parsed",
		files: files{"helmfile.yaml": deleted, "helmfile.yaml.gotmpl": "releases:\n{{ if true }}\n" + second},
		code:  desiredInvalid, names: []string{"helmfile.yaml.gotmpl", "unexpected EOF"},
	},
	{
		does: "a template error in the second part of a file",
		files: files{"helmfile.yaml": deleted,
			"helmfile.yaml.gotmpl": "environments:\n  default: {}\n---\nreleases:\n  - name: good\n    chart: {{ .Values.charts.small }}\n" + second},
		code: desiredInvalid, names: []string{"helmfile.yaml.gotmpl: line 6:", "charts"},
	},
	{
		does:  "an unknown field in the second part of a file",
		files: files{"helmfile.yaml": "environments:\n  default: {}\n---\nreleases:\n  - name: good\n    vallues: []\n" + second},
		code:  desiredInvalid, names: []string{"helmfile.yaml: line 6", "vallues"},
	},
	{
		does:  "a required variable that is not set",
		files: files{"helmfile.yaml": deleted, "helmfile.yaml.gotmpl": "releases:\n  - name: good\n    chart: {{ requiredEnv \"CHART_DIR\" }}\n" + second},
		code:  desiredInvalid, names: []string{"helmfile.yaml.gotmpl: line 3:", "CHART_DIR"},
	},
	{
		does:  "a required value that is not set",
		files: files{"helmfile.yaml": deleted, "helmfile.yaml.gotmpl": "releases:\n  - name: good\n    chart: {{ .Values | get \"chartDir\" }}\n" + second},
		code:  desiredInvalid, names: []string{"helmfile.yaml.gotmpl: line 3:", "chartDir"},
	},
	{
		does: "an environment that no file defines",
		args: []string{"--environment", "prodution"},
		code: desiredInvalid, names: []string{`"prodution"`},
	},
	{
		does:  "an environment whose values file is not there",
		files: files{"helmfile.yaml": "environments:\n  default:\n    values:\n      - environments/default.yaml\n---\nreleases:\n" + second},
		code:  desiredInvalid, names: []string{"helmfile.yaml", "environments/default.yaml"},
	},
	{
		does:  "needs in a circle",
		files: files{"helmfile.yaml": circle},
		code:  desiredInvalid, names: []string{"helmfile.yaml", "good", "other", "cycle"},
	},
	{
		does:  "a need that nobody declares",
		files: good("chart: ./charts/small", "needs: [databse]"),
		code:  desiredInvalid, names: []string{"helmfile.yaml", "good", "databse"},
	},
	{
		does:  "a release that is declared twice in a file",
		files: files{"helmfile.yaml": "releases:\n" + second + second},
		code:  desiredInvalid, names: []string{"helmfile.yaml", "other", "declared twice: both times in helmfile.yaml"},
	},
	{
		does: "a release that is declared in two files",
		files: files{"helmfile.yaml": deleted, "helmfile.d/a.yaml": "releases:\n  - name: other\n    chart: ../charts/small\n",
			"helmfile.d/b.yaml": "releases:\n  - name: other\n    chart: ../charts/small\n"},
		code: desiredInvalid, names: []string{"<namespace>/other", "declared twice", "helmfile.d/a.yaml", "helmfile.d/b.yaml"},
	},
	{
		does:  "a values file that is not there",
		files: good("chart: ./charts/small", "values:", "  - values/good.yaml"),
		code:  desiredInvalid, names: []string{"helmfile.yaml", "good", "values/good.yaml"},
	},
	{
		does: "a values file whose template fails",
		files: good("chart: ./charts/small", "values:", "  - values/good.yaml.gotmpl").
			and("values/good.yaml.gotmpl", "text: first\nimage: {{ .Values.image.tag }}\n"),
		code: desiredInvalid, names: []string{"good", "values/good.yaml.gotmpl", "line 2:", "image"},
	},
	{
		does:  "a values file that is a list",
		files: good("chart: ./charts/small", "values:", "  - values/good.yaml").and("values/good.yaml", "- text: first\n"),
		code:  desiredInvalid, names: []string{"good", "values/good.yaml", "contains a list"},
	},
	{
		does:  "a values file that is not YAML",
		files: good("chart: ./charts/small", "values:", "  - values/good.yaml").and("values/good.yaml", "text: first\n  more: [\n"),
		code:  desiredInvalid, names: []string{"good", "values/good.yaml", "line 2"},
	},
	{
		does:  "a helm binary of the repository's own",
		files: files{"helmfile.yaml": "releases:\n" + second + "helmBinary: ./bin/helm\n"}.and("bin/helm", "#!/bin/sh\nexit 1\n"),
		code:  desiredInvalid, names: []string{"helmfile.yaml:6", "helmBinary is not supported", "remove the line"},
	},
	{
		does:  "a hook",
		files: good("chart: ./charts/small", "hooks:", "  - events: [presync]", "    name: migrate", "    command: ./migrate.sh"),
		code:  desiredInvalid, names: []string{"helmfile.yaml", "release good", "migrate", "presync", "use a Helm hook in the chart"},
	},
	{
		does:  "a template that runs a command",
		files: files{"helmfile.yaml": deleted, "helmfile.yaml.gotmpl": "releases:\n" + second + "      - text: {{ exec \"date\" (list) }}\n"},
		code:  desiredInvalid, names: []string{"helmfile.yaml.gotmpl:6", "the template function exec is not supported", "the agent runs no commands", "readFile"},
	},
	{
		does: "a values file that runs a command",
		files: good("chart: ./charts/small", "values:", "  - values/good.yaml.gotmpl").
			and("values/good.yaml.gotmpl", "text: first\nimage: {{ envExec (dict) \"date\" list }}\n"),
		code: desiredInvalid, names: []string{"values/good.yaml.gotmpl:2", "envExec is not supported"},
	},
	{
		does:  "a value that comes from a command",
		files: good("chart: ./charts/small", "values:", "  - text: ref+exec://date"),
		code:  desiredInvalid, names: []string{"helmfile.yaml:5", "ref+exec:// is not supported", "ref+sops://"},
	},
	{
		does:  "a value that comes from a command, put together by a template",
		files: files{"helmfile.yaml": deleted, "helmfile.yaml.gotmpl": "releases:\n" + second + "      - text: {{ printf \"ref+%s://date\" \"exec\" }}\n"},
		code:  desiredInvalid, names: []string{"helmfile.yaml.gotmpl", "release other", "ref+exec:// in values is not supported"},
	},
	{
		does:  "an environment in another cluster",
		files: files{"helmfile.yaml": "environments:\n  default:\n    kubeContext: elsewhere\n---\nreleases:\n" + second},
		code:  desiredInvalid, names: []string{"helmfile.yaml", "environment default", "kubeContext: elsewhere", "one cluster only"},
	},
	{
		does:  "a values file in another git repository",
		files: good("chart: ./charts/small", "values:", "  - git::https://git.example.com/shop/config.git@values.yaml?ref=main"),
		env:   []string{"PATH="},
		code:  desiredInvalid, names: []string{"good", "has no git", "https archive"},
	},
	{
		does:  "a chart in another git repository",
		files: good("chart: git::https://git.example.com/shop/charts.git@small?ref=main"),
		env:   []string{"PATH="},
		code:  releasesFailed, names: []string{"<namespace>/good", "git.example.com/shop/charts.git", "has no git", "OCI registry"},
	},
	{
		does:  "a nested helmfile in another git repository",
		files: files{"helmfile.yaml": "helmfiles:\n  - git::https://git.example.com/shop/more.git@helmfile.yaml?ref=main\nreleases:\n" + second},
		env:   []string{"PATH="},
		code:  desiredInvalid, names: []string{"helmfile.yaml", "helmfiles[0]", "has no git", "copy"},
	},
	{
		does: "everything that cannot work here",
		files: good("chart: ./charts/small", "postRenderer: ./render.sh", "kubeContext: elsewhere", "adopt: [configmap/good]", "serverSide: \"true\"",
			"forceConflicts: true", "rollbackOnFailure: true", "trackMode: kubedog"),
		code: desiredInvalid, names: []string{"helmfile.yaml", "release good", "postRenderer", "use jsonPatches", "kubeContext: elsewhere", "adopt", "use takeOwnership",
			"serverSide", "forceConflicts", "rollbackOnFailure", "use atomic", "trackMode: kubedog", "use wait: true"},
	},
	{
		does: "defaults that cannot work here",
		files: files{"helmfile.yaml": "repositories:\n  - name: acme\n    url: acme.azurecr.io\n    managed: acr\nhelmDefaults:\n  kubeContext: elsewhere\n" +
			"  postRenderer: ./render.sh\n  serverSide: \"true\"\n  trackMode: kubedog\nreleases:\n" + second},
		code: desiredInvalid, names: []string{"helmfile.yaml", "repository acme", "managed: acr", "use oci: true", "helmDefaults", "kubeContext: elsewhere", "postRenderer",
			"serverSide", "trackMode: kubedog"},
	},
	{
		does: "a nested file that asks for what cannot work here, as another does",
		files: files{"helmfile.yaml": "helmfiles:\n  - apps/a.yaml\n  - apps/b.yaml\nreleases:\n" + second,
			"apps/a.yaml": "releases:\n  - name: a\n    chart: ../charts/small\n    postRenderer: ./render.sh\n",
			"apps/b.yaml": "releases:\n  - name: b\n    chart: ../charts/small\n    adopt: [configmap/b]\n"},
		code: desiredInvalid, names: []string{"apps/a.yaml", "release a", "postRenderer", "apps/b.yaml", "release b", "adopt"},
	},
	{
		does:  "an argument for helm that it does not have",
		files: files{"helmfile.yaml": "helmDefaults:\n  syncArgs: [--dryrun]\nreleases:\n" + second},
		code:  desiredInvalid, names: []string{"helmfile.yaml", "other", "--dryrun", "remove it from args or syncArgs"},
	},
}

// deleted, in place of a file's content, deletes it.
const deleted = "\x00deleted"

const circle = `releases:
  - name: good
    chart: ./charts/small
    needs: [other]
  - name: other
    chart: ./charts/small
    needs: [good]
`

// encrypted has a recipient whose private key was thrown away.
//
//go:embed testdata/badinput/encrypted.yaml
var encrypted string

const (
	recipient = "age10pxyfns3mw6mksx4y7795vlnsxe9pve0jtkmgdu5qlmp4n3xxyqslk4qq0"
	// wrongKey is an age identity that nothing is encrypted for.
	wrongKey = "AGE-SECRET-KEY-1" + "N3NE5YF522Y0LETYJVYA28PZS2XEFZHVU4F39V7KGXFRAF96E9LQLCW0F6"
)

var badSecrets = []badInput{
	{
		does:  "secrets whose key is missing",
		files: good("chart: ./charts/small", "secrets:", "  - secrets.yaml").and("secrets.yaml", encrypted),
		code:  unreadable, names: []string{"good", "secrets.yaml", recipient},
	},
	{
		does:  "secrets for which there is another key",
		files: good("chart: ./charts/small", "secrets:", "  - secrets.yaml").and("secrets.yaml", encrypted),
		env:   []string{"SOPS_AGE_KEY=" + wrongKey},
		code:  unreadable, names: []string{"good", "secrets.yaml", recipient},
	},
	{
		does:  "secrets that are not encrypted",
		files: good("chart: ./charts/small", "secrets:", "  - secrets.yaml").and("secrets.yaml", "text: <password>\n"),
		code:  unreadable, names: []string{"good", "secrets.yaml", "not encrypted", "encrypt it"},
	},
	{
		does:  "a secrets file that is not there",
		files: good("chart: ./charts/small", "secrets:", "  - secrets.yaml"),
		code:  desiredInvalid, names: []string{"good", "secrets.yaml"},
	},
	{
		does: "an environment's secrets whose key is missing",
		files: files{"helmfile.yaml": "environments:\n  default:\n    secrets:\n      - environments/secrets.yaml\n---\nreleases:\n" + second,
			"environments/secrets.yaml": encrypted},
		code: unreadable, names: []string{"environments/secrets.yaml", recipient},
	},
}

var badReleases = []badInput{
	{
		does:  "a chart directory that is not there",
		files: good("chart: ./charts/none"),
		code:  releasesFailed, names: []string{"<namespace>/good", "charts/none"},
	},
	{
		does:  "a chart of a repository that is not declared",
		files: good("chart: acme/small"),
		code:  releasesFailed, names: []string{"<namespace>/good", "acme/small", `no repository "acme" is declared`},
	},
	{
		does:  "a chart that the repository does not have",
		files: repositoryOf("<charts>", "chart: acme/large"),
		code:  releasesFailed, names: []string{"<namespace>/good", "large", "<charts>"},
	},
	{
		does:  "a chart version that the repository does not have",
		files: repositoryOf("<charts>", "chart: acme/small", "version: 7.0.0"),
		code:  releasesFailed, names: []string{"<namespace>/good", "small", "7.0.0", "<charts>"},
	},
	{
		does:  "a version that is no version",
		files: repositoryOf("<charts>", "chart: acme/small", "version: latest"),
		code:  releasesFailed, names: []string{"<namespace>/good", "small", "latest"},
	},
	{
		does:  "a chart repository that is down",
		files: repositoryOf("http://<dead>/charts", "chart: acme/small", "version: 1.0.0"),
		code:  releasesFailed, names: []string{"<namespace>/good", "http://<dead>/charts", "connection refused"},
	},
	{
		does:  "a chart repository at a loopback address that is not listed",
		files: repositoryOf("<charts>", "chart: acme/small", "version: 1.0.0"),
		env:   []string{"HELMFILE_AGENT_ALLOW_REMOTE=*"},
		code:  releasesFailed, names: []string{"<namespace>/good", "<charts>", "loopback", "allowRemote"},
	},
	{
		does: "such a repository, of a chart that is patched, which a child process downloads",
		files: repositoryOf("<charts>", "chart: acme/small", "version: 1.0.0", "jsonPatches:",
			"  - target: {version: v1, kind: ConfigMap, name: good}", "    patch: [{op: add, path: /data/more, value: x}]"),
		env:  []string{"HELMFILE_AGENT_ALLOW_REMOTE=*"},
		code: releasesFailed, names: []string{"<namespace>/good", "<charts>", "loopback", "allowRemote"},
	},
	{
		does:  "a registry at a loopback address that is not listed",
		files: good("chart: oci://<registry>/charts/small", "plainHttp: true", "version: 1.0.0"),
		env:   []string{"HELMFILE_AGENT_ALLOW_REMOTE=charts.example"},
		code:  releasesFailed, names: []string{"<namespace>/good", "<registry>/charts/small", "loopback", "allowRemote"},
	},
	{
		does:  "a chart outside of the repository",
		files: good("chart: /etc"),
		code:  desiredInvalid, names: []string{"release good: chart", "outside of the repository"},
	},
	{
		does:  "a dependency outside of the repository",
		files: ownChart(files{"Chart.yaml": "apiVersion: v2\nname: own\nversion: 1.0.0\ndependencies:\n  - name: etc\n    version: 1.0.0\n    repository: file:///etc\n"}),
		code:  releasesFailed, names: []string{"<namespace>/good", "charts/own", "dependency etc", "outside of the repository"},
	},
	{
		does:  "a chart that the registry does not have",
		files: good("chart: oci://<registry>/charts/large", "plainHttp: true", "version: 1.0.0"),
		code:  releasesFailed, names: []string{"<namespace>/good", "<registry>/charts/large", "1.0.0", "not found"},
	},
	{
		does:  "a tag that the registry does not have",
		files: good("chart: oci://<registry>/charts/small", "plainHttp: true", "version: 7.0.0"),
		code:  releasesFailed, names: []string{"<namespace>/good", "<registry>/charts/small", "7.0.0", "not found"},
	},
	{
		does:  "a registry that is down",
		files: good("chart: oci://<dead>/charts/small", "version: 1.0.0"),
		code:  releasesFailed, names: []string{"<namespace>/good", "<dead>/charts/small", "connection refused"},
	},
	{
		does:  "a required value of a chart",
		files: ownChart(files{"templates/text.yaml": "text: {{ required \"image must be given\" .Values.image }}\n"}),
		code:  releasesFailed, names: []string{"<namespace>/good", "own/templates/text.yaml:1:", "image must be given"},
	},
	{
		does:  "a template that cannot be parsed by helm",
		files: ownChart(files{"templates/text.yaml": "text: a\nmore: {{ .Values.text\n"}),
		code:  releasesFailed, names: []string{"<namespace>/good", "own/templates/text.yaml:2"},
	},
	{
		does: "values that violate the chart's schema",
		files: ownChart(files{"values.schema.json": `{"type": "object", "properties": {"replicas": {"type": "integer"}}}`}).
			and("helmfile.yaml", good("chart: ./charts/own", "values:", "  - replicas: many")["helmfile.yaml"]),
		code: releasesFailed, names: []string{"<namespace>/good", "own", "replicas", "integer"},
	},
	{
		does:  "a chart that renders what is not YAML",
		files: ownChart(files{"templates/text.yaml": "apiVersion: v1\nkind: ConfigMap\n  data: {\n"}),
		code:  releasesFailed, names: []string{"<namespace>/good", "own/templates/text.yaml", "line 3"},
	},
	{
		does:  "a chart that renders an object without a kind",
		files: ownChart(files{"templates/text.yaml": "apiVersion: v1\nmetadata:\n  name: good\n"}),
		code:  releasesFailed, names: []string{"<namespace>/good", "kind"},
	},
	{
		does:  "a kind that the cluster does not know",
		files: ownChart(files{"templates/text.yaml": "apiVersion: acme.example/v1\nkind: Gadget\nmetadata:\n  name: good\n"}),
		code:  releasesFailed, names: []string{"<namespace>/good", "Gadget", "acme.example/v1"},
	},
	{
		does:  "an object that the API server does not accept",
		files: ownChart(files{"templates/text.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\ndata:\n  \"not a key\": x\n"}),
		tried: true,
		code:  releasesFailed, names: []string{"<namespace>/good", "ConfigMap", `"good"`, "not a key"},
	},
	{
		does:  "a field that the kind does not have",
		files: ownChart(files{"templates/text.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\ndata:\n  text: [first]\n"}),
		tried: true,
		code:  releasesFailed, names: []string{"<namespace>/good", `"good" with kind ConfigMap`, "cannot unmarshal array", "ConfigMap.data"},
	},
	{
		does:  "an object that belongs to another release",
		files: ownChart(files{"templates/text.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: other\n"}),
		tried: true,
		code:  releasesFailed, names: []string{"<namespace>/good", `ConfigMap "other"`, "other"},
	},
	{
		does:  "a patch that does not apply",
		files: good("chart: ./charts/small", "jsonPatches:", "  - target: {version: v1, kind: ConfigMap, name: good}", "    patch: [{op: remove, path: /data/none}]"),
		code:  releasesFailed, names: []string{"<namespace>/good", "/data/none"},
	},
	{
		does:  "a name that no release can have",
		files: files{"helmfile.yaml": "releases:\n  - name: Good_Release\n    chart: ./charts/small\n" + second},
		code:  releasesFailed, names: []string{"Good_Release", "invalid"},
	},
	{
		does:  "a library chart",
		files: ownChart(files{"Chart.yaml": "apiVersion: v2\nname: own\nversion: 1.0.0\ntype: library\n"}),
		code:  releasesFailed, names: []string{"<namespace>/good", "charts/own", "library charts are not installable"},
	},
	{
		does:  "a chart without its description",
		files: ownChart(files{"Chart.yaml": "apiVersion: v2\nversion: 1.0.0\n"}),
		code:  releasesFailed, names: []string{"<namespace>/good", "charts/own", "name is required"},
	},
	{
		does:  "a dependency that its repository does not have",
		files: ownChart(files{"Chart.yaml": "apiVersion: v2\nname: own\nversion: 1.0.0\ndependencies:\n  - name: large\n    version: 1.0.0\n    repository: <charts>\n"}),
		code:  releasesFailed, names: []string{"<namespace>/good", "charts/own", "large", "<charts>"},
	},
}

var badCluster = []badInput{
	{
		does:  "an API server that is down",
		local: files{"kubeconfig": kubeconfig("server: https://<dead>")},
		args:  []string{"--kubeconfig", "kubeconfig"},
		code:  noCluster, names: []string{"https://<dead>", "connection refused"},
	},
	{
		does:  "a token that the API server does not accept",
		local: files{"kubeconfig": kubeconfig("server: <server>", "insecure-skip-tls-verify: true")},
		args:  []string{"--kubeconfig", "kubeconfig"},
		code:  noCluster, names: []string{"<server>", "does not accept the token", "renew it"},
	},
	{
		does:  "an API server whose certificate is not trusted",
		local: files{"kubeconfig": kubeconfig("server: <server>")},
		args:  []string{"--kubeconfig", "kubeconfig"},
		code:  noCluster, names: []string{"<server>", "certificate"},
	},
	{
		does:  "a timeout that no run can meet",
		files: good("chart: ./charts/small"),
		args:  []string{"--timeout", "1ms"},
		code:  deadline, names: []string{"did not end within 1ms"},
	},
	{
		does:  "a user without any right",
		files: good("chart: ./charts/small"),
		args:  []string{"--kubeconfig", "<stranger's kubeconfig>"},
		code:  forbidden, names: []string{"<stranger>", "get", "configmaps", "<namespace>"},
	},
	{
		does:  "a namespace in which the agent has no rights",
		files: good("chart: ./charts/small", "namespace: elsewhere"),
		code:  forbidden, names: []string{"elsewhere", "list", "secrets", "kubectl create namespace elsewhere"},
	},
	{
		does: "an object that is not the tenant's to make",
		files: ownChart(files{"templates/text.yaml": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: good\n"}).
			and("charts/own/templates/more.yaml", "apiVersion: v1\nkind: ResourceQuota\nmetadata:\n  name: good\n"),
		code: forbidden, names: []string{"nothing was changed", "create clusterroles.rbac.authorization.k8s.io (cluster-scoped)", "create resourcequotas in namespace <namespace>",
			"<namespace>/good", "grant it"},
	},
}

// repositoryOf is a helmfile with the chart repository acme, of which the release good uses a chart.
func repositoryOf(url string, lines ...string) files {
	all := good(lines...)
	return all.and("helmfile.yaml", "repositories:\n  - name: acme\n    url: "+url+"\n"+all["helmfile.yaml"])
}

// kubeconfig is one cluster, to which a token is shown that is none of its own.
func kubeconfig(lines ...string) string {
	text := "apiVersion: v1\nkind: Config\ncurrent-context: here\ncontexts:\n- name: here\n  context:\n    cluster: here\n    user: me\n" +
		"users:\n- name: me\n  user:\n    token: <password>\nclusters:\n- name: here\n  cluster:\n"
	for _, line := range lines {
		text += "    " + line + "\n"
	}
	return text
}
