package e2e

import _ "embed"

var badConfiguration = []badInput{
	{
		mistake: "an unknown flag",
		args:    []string{"--environmnet", "production"},
		code:    configInvalid, message: []string{"--environmnet", "helmfile-agent run --help"},
	},
	{
		mistake: "an unknown command",
		command: "aply",
		code:    configInvalid, message: []string{`"aply"`, "helmfile-agent --help"},
	},
	{
		mistake: "an argument that belongs to no flag",
		args:    []string{"production"},
		code:    configInvalid, message: []string{"production", "helmfile-agent run --help"},
	},
	{
		mistake: "an unknown environment variable",
		env:     []string{"HELMFILE_AGENT_ENVIRONMNET=production"},
		code:    configInvalid, message: []string{"HELMFILE_AGENT_ENVIRONMNET", "did you mean HELMFILE_AGENT_ENVIRONMENT?"},
	},
	{
		mistake: "an unknown key in the configuration file",
		local:   files{"agent.yaml": "environment: default\ntimeOut: 5m\n"},
		args:    []string{"--config", "agent.yaml"},
		code:    configInvalid, message: []string{"agent.yaml:2", `"timeOut"`, "did you mean timeout?"},
	},
	{
		mistake: "a configuration file that is not YAML",
		local:   files{"agent.yaml": "timeout: 5m\nenvironment: [default\n"},
		args:    []string{"--config", "agent.yaml"},
		code:    configInvalid, message: []string{"agent.yaml:", "is not YAML"},
	},
	{
		mistake: "a missing configuration file",
		args:    []string{"--config", "/etc/none/agent.yaml"},
		code:    configInvalid, message: []string{"flag --config", "/etc/none/agent.yaml", "no such file"},
	},
	{
		mistake: "a duration without a unit",
		args:    []string{"--timeout", "10"},
		code:    configInvalid, message: []string{"flag --timeout", `"10"`, "write it like 90s"},
	},
	{
		mistake: "a concurrency of zero",
		env:     []string{"HELMFILE_AGENT_CONCURRENCY=0"},
		code:    configInvalid, message: []string{"HELMFILE_AGENT_CONCURRENCY", `"0"`, "1 to 64"},
	},
	{
		mistake: "no repository",
		args:    []string{"--repo", ""},
		code:    configInvalid, message: []string{"repo: is not given", "--repo", "HELMFILE_AGENT_REPO"},
	},
	{
		mistake: "a repository that is not a URL",
		args:    []string{"--repo", "github.com/acme/config"},
		code:    configInvalid, message: []string{"flag --repo", `"github.com/acme/config"`, "https://host/path"},
	},
	{
		mistake: "both a repository and a directory",
		command: "diff",
		args:    []string{"--dir", "."},
		code:    configInvalid, message: []string{"flag --dir", "repo", "remove one of them"},
	},
	{
		mistake: "an invalid name of an instance",
		args:    []string{"--instance", "Team A"},
		code:    configInvalid, message: []string{"flag --instance", `"Team A"`, "lower-case letters"},
	},
	{
		mistake: "a path that leads out of the repository",
		args:    []string{"--path", "../other/helmfile.yaml"},
		code:    configInvalid, message: []string{"flag --path", `"../other/helmfile.yaml"`, "without .."},
	},
	{
		mistake: "a missing password file",
		args:    []string{"--git-password-file", "/run/none/password"},
		code:    configInvalid, message: []string{"flag --git-password-file", "/run/none/password"},
	},
	{
		mistake: "many mistakes at once",
		local:   files{"agent.yaml": "output: xml\nnonsense: true\n"},
		args:    []string{"--config", "agent.yaml", "--timeout", "-5m", "--concurrency", "many", "--ref", "HEAD~1"},
		env:     []string{"HELMFILE_AGENT_LOG_LEVEL=loud", "HELMFILE_AGENT_GIT_PASWORD=<password>"},
		code:    configInvalid, message: []string{"7 problems", "agent.yaml:1", `"xml"`, "agent.yaml:2", `"nonsense"`, "--timeout", "--concurrency", "--ref",
			"HELMFILE_AGENT_LOG_LEVEL", "HELMFILE_AGENT_GIT_PASWORD"},
	},
	{
		mistake: "a missing kubeconfig",
		args:    []string{"--kubeconfig", "/etc/none/kubeconfig"},
		code:    configInvalid, message: []string{"flag --kubeconfig", "/etc/none/kubeconfig", "no such file"},
	},
	{
		mistake: "a context that the kubeconfig does not have",
		args:    []string{"--context", "production"},
		code:    configInvalid, message: []string{`"production"`, "context"},
	},
	{
		mistake: "a kubeconfig that is not YAML",
		local:   files{"kubeconfig": "apiVersion: v1\n\tkind: Config\n"},
		args:    []string{"--kubeconfig", "kubeconfig"},
		code:    configInvalid, message: []string{"kubeconfig"},
	},
}

var badSource = []badInput{
	{
		mistake: "a repository that the server does not have",
		args:    []string{"--repo", "<git>/none.git"},
		code:    unreachable, message: []string{"<git>/none.git", "repository not found"},
	},
	{
		mistake: "a repository that is not at the path",
		args:    []string{"--repo", "/srv/none/config.git"},
		code:    unreachable, message: []string{"/srv/none/config.git", "repository not found"},
	},
	{
		mistake: "a git server that is down",
		args:    []string{"--repo", "http://<dead>/config.git"},
		code:    unreachable, message: []string{"http://<dead>/config.git", "connection refused"},
	},
	{
		mistake: "a git server with an unknown name",
		args:    []string{"--repo", "https://git.acme.invalid/config.git"},
		code:    unreachable, message: []string{"https://git.acme.invalid/config.git", "git.acme.invalid"},
	},
	{
		mistake: "a repository without a commit",
		args:    []string{"--repo", "<git>/empty.git"},
		code:    unreachable, message: []string{"<git>/empty.git", "is empty", "push a commit"},
	},
	{
		mistake: "no credentials for a private repository",
		args:    []string{"--repo", "<private>"},
		code:    sourceRefused, message: []string{"<private>", "authentication required", "credentials are missing or wrong"},
	},
	{
		mistake: "the wrong password for a private repository",
		args:    []string{"--repo", "<private>", "--git-username", "ada", "--git-allow-plain-http"},
		env:     []string{"HELMFILE_AGENT_GIT_PASSWORD=<password>"},
		code:    sourceRefused, message: []string{"<private>", "credentials are missing or wrong"},
	},
	{
		mistake: "the wrong password in the URL of a private repository",
		args:    []string{"--repo", "http://ada:<password>@<private-host>", "--git-allow-plain-http"},
		code:    sourceRefused, message: []string{"<private>", "credentials are missing or wrong"},
	},
	{
		mistake: "a password over plain http",
		args:    []string{"--repo", "<private>"},
		env:     []string{"HELMFILE_AGENT_GIT_PASSWORD=<password>"},
		code:    configInvalid, message: []string{"<private>", "plain http", "gitAllowPlainHttp"},
	},
	{
		mistake: "the wrong branch",
		args:    []string{"--ref", "production"},
		code:    sourceRefused, message: []string{"<repo>", `"production"`, "the branches are main"},
	},
	{
		mistake: "a tag that does not exist",
		args:    []string{"--ref", "refs/tags/v1.0.0"},
		code:    sourceRefused, message: []string{"<repo>", `"refs/tags/v1.0.0"`},
	},
	{
		mistake: "a commit that does not exist",
		args:    []string{"--ref", "0123456789012345678901234567890123456789"},
		code:    sourceRefused, message: []string{"<repo>", `"0123456789012345678901234567890123456789"`},
	},
	{
		mistake: "SSH without host keys",
		local:   files{"key": "<client-key>"},
		args:    []string{"--repo", "<ssh>", "--git-ssh-key-file", "key"},
		code:    sourceRefused, message: []string{"<ssh>", "no SSH host key is trusted", "ssh-keyscan", "gitKnownHostsFile"},
	},
	{
		mistake: "SSH with a wrong host key",
		local:   files{"key": "<client-key>", "known_hosts": "<distrusted>\n"},
		args:    []string{"--repo", "<ssh>", "--git-ssh-key-file", "key", "--git-known-hosts-file", "known_hosts"},
		code:    sourceRefused, message: []string{"<ssh>", "another key than the known one", "ssh-keyscan"},
	},
	{
		mistake: "SSH without a key",
		local:   files{"known_hosts": "<trusted>\n"},
		args:    []string{"--repo", "<ssh>", "--git-known-hosts-file", "known_hosts"},
		code:    sourceRefused, message: []string{"<ssh>", "gitSSHKeyFile"},
	},
	{
		mistake: "SSH with a wrong password",
		local:   files{"known_hosts": "<trusted>\n"},
		args:    []string{"--repo", "<ssh>", "--git-known-hosts-file", "known_hosts"},
		env:     []string{"HELMFILE_AGENT_GIT_PASSWORD=<password>"},
		code:    sourceRefused, message: []string{"<ssh>", "refuses the SSH key or password"},
	},
}

var badHelmfile = []badInput{
	{
		mistake: "a repository without a helmfile",
		files:   files{"helmfile.yaml": deleted, "README.md": "Nothing here.\n"},
		code:    desiredInvalid, message: []string{"helmfile.yaml", "helmfile.d"},
	},
	{
		mistake: "a path to a missing file",
		args:    []string{"--path", "deploy/helmfile.yaml"},
		code:    desiredInvalid, message: []string{"deploy/helmfile.yaml", "not found"},
	},
	{
		mistake: "a path to a directory without helmfiles",
		args:    []string{"--path", "charts"},
		code:    desiredInvalid, message: []string{"no helmfile found: charts has no file whose name ends in .yaml"},
	},
	{
		mistake: "a YAML error",
		files:   good("chart: ./charts/small", "values: [", "  text: [second"),
		code:    desiredInvalid, message: []string{"helmfile.yaml", "line 4"},
	},
	{
		mistake: "a YAML error in a nested file",
		files: files{"helmfile.yaml": "helmfiles:\n  - apps/web/helmfile.yaml\nreleases:\n" + second,
			"apps/web/helmfile.yaml": "releases:\n  - name: good\n    chart: [\n"},
		code: desiredInvalid, message: []string{"apps/web/helmfile.yaml", "line 3"},
	},
	{
		mistake: "a missing nested file",
		files:   files{"helmfile.yaml": "helmfiles:\n  - apps/web/helmfile.yaml\nreleases:\n" + second},
		code:    desiredInvalid, message: []string{"helmfile.yaml", "apps/web/helmfile.yaml"},
	},
	{
		mistake: "a file that is not a helmfile",
		files:   files{"helmfile.yaml": "just some words\n"},
		code:    desiredInvalid, message: []string{"helmfile.yaml"},
	},
	{
		mistake: "an unknown field of the state",
		files:   files{"helmfile.yaml": "helmDefualts:\n  wait: true\nreleases:\n" + second},
		code:    desiredInvalid, message: []string{"helmfile.yaml: line 1", "helmDefualts"},
	},
	{
		mistake: "an unknown field of a release",
		files:   good("chart: ./charts/small", "vallues: []"),
		code:    desiredInvalid, message: []string{"helmfile.yaml: line 4", "vallues"},
	},
	{
		mistake: "a field of the wrong type",
		files:   good("chart: ./charts/small", "wait: perhaps"),
		code:    desiredInvalid, message: []string{"helmfile.yaml", "line 4", "perhaps", "bool"},
	},
	{
		mistake: "a template error",
		files:   files{"helmfile.yaml": deleted, "helmfile.yaml.gotmpl": "releases:\n  - name: good\n    chart: {{ .Values.charts.small }}\n" + second},
		code:    desiredInvalid, message: []string{"helmfile.yaml.gotmpl: line 3:", "charts"},
	},
	{
		mistake: "a template that cannot be parsed",
		files:   files{"helmfile.yaml": deleted, "helmfile.yaml.gotmpl": "releases:\n{{ if true }}\n" + second},
		code:    desiredInvalid, message: []string{"helmfile.yaml.gotmpl", "unexpected EOF"},
	},
	{
		mistake: "a template error in the second part of a file",
		files: files{"helmfile.yaml": deleted,
			"helmfile.yaml.gotmpl": "environments:\n  default: {}\n---\nreleases:\n  - name: good\n    chart: {{ .Values.charts.small }}\n" + second},
		code: desiredInvalid, message: []string{"helmfile.yaml.gotmpl: line 6:", "charts"},
	},
	{
		mistake: "an unknown field in the second part of a file",
		files:   files{"helmfile.yaml": "environments:\n  default: {}\n---\nreleases:\n  - name: good\n    vallues: []\n" + second},
		code:    desiredInvalid, message: []string{"helmfile.yaml: line 6", "vallues"},
	},
	{
		mistake: "a required variable that is not set",
		files:   files{"helmfile.yaml": deleted, "helmfile.yaml.gotmpl": "releases:\n  - name: good\n    chart: {{ requiredEnv \"CHART_DIR\" }}\n" + second},
		code:    desiredInvalid, message: []string{"helmfile.yaml.gotmpl: line 3:", "CHART_DIR"},
	},
	{
		mistake: "a required value that is not set",
		files:   files{"helmfile.yaml": deleted, "helmfile.yaml.gotmpl": "releases:\n  - name: good\n    chart: {{ .Values | get \"chartDir\" }}\n" + second},
		code:    desiredInvalid, message: []string{"helmfile.yaml.gotmpl: line 3:", "chartDir"},
	},
	{
		mistake: "an environment that no file defines",
		args:    []string{"--environment", "prodution"},
		code:    desiredInvalid, message: []string{`"prodution"`},
	},
	{
		mistake: "an environment with a missing values file",
		files:   files{"helmfile.yaml": "environments:\n  default:\n    values:\n      - environments/default.yaml\n---\nreleases:\n" + second},
		code:    desiredInvalid, message: []string{"helmfile.yaml", "environments/default.yaml"},
	},
	{
		mistake: "a cycle of needs",
		files:   files{"helmfile.yaml": circle},
		code:    desiredInvalid, message: []string{"helmfile.yaml", "good", "other", "cycle"},
	},
	{
		mistake: "a need that is not declared",
		files:   good("chart: ./charts/small", "needs: [databse]"),
		code:    desiredInvalid, message: []string{"helmfile.yaml", "good", "databse"},
	},
	{
		mistake: "a release that is declared twice in a file",
		files:   files{"helmfile.yaml": "releases:\n" + second + second},
		code:    desiredInvalid, message: []string{"helmfile.yaml", "other", "declared twice: both times in helmfile.yaml"},
	},
	{
		mistake: "a release that is declared in two files",
		files: files{"helmfile.yaml": deleted, "helmfile.d/a.yaml": "releases:\n  - name: other\n    chart: ../charts/small\n",
			"helmfile.d/b.yaml": "releases:\n  - name: other\n    chart: ../charts/small\n"},
		code: desiredInvalid, message: []string{"<namespace>/other", "declared twice", "helmfile.d/a.yaml", "helmfile.d/b.yaml"},
	},
	{
		mistake: "a missing values file",
		files:   good("chart: ./charts/small", "values:", "  - values/good.yaml"),
		code:    desiredInvalid, message: []string{"helmfile.yaml", "good", "values/good.yaml"},
	},
	{
		mistake: "a values file whose template fails",
		files: good("chart: ./charts/small", "values:", "  - values/good.yaml.gotmpl").
			and("values/good.yaml.gotmpl", "text: first\nimage: {{ .Values.image.tag }}\n"),
		code: desiredInvalid, message: []string{"good", "values/good.yaml.gotmpl", "line 2:", "image"},
	},
	{
		mistake: "a values file that is a list",
		files:   good("chart: ./charts/small", "values:", "  - values/good.yaml").and("values/good.yaml", "- text: first\n"),
		code:    desiredInvalid, message: []string{"good", "values/good.yaml", "contains a list"},
	},
	{
		mistake: "a values file that is not YAML",
		files:   good("chart: ./charts/small", "values:", "  - values/good.yaml").and("values/good.yaml", "text: first\n  more: [\n"),
		code:    desiredInvalid, message: []string{"good", "values/good.yaml", "line 2"},
	},
	{
		mistake: "a helm binary from the repository",
		files:   files{"helmfile.yaml": "releases:\n" + second + "helmBinary: ./bin/helm\n"}.and("bin/helm", "#!/bin/sh\nexit 1\n"),
		code:    desiredInvalid, message: []string{"helmfile.yaml:6", "helmBinary is not supported", "remove the line"},
	},
	{
		mistake: "a hook",
		files:   good("chart: ./charts/small", "hooks:", "  - events: [presync]", "    name: migrate", "    command: ./migrate.sh"),
		code:    desiredInvalid, message: []string{"helmfile.yaml", "release good", "migrate", "presync", "use a Helm hook in the chart"},
	},
	{
		mistake: "a template that runs a command",
		files:   files{"helmfile.yaml": deleted, "helmfile.yaml.gotmpl": "releases:\n" + second + "      - text: {{ exec \"date\" (list) }}\n"},
		code:    desiredInvalid, message: []string{"helmfile.yaml.gotmpl:6", "the template function exec is not supported", "the agent runs no commands", "readFile"},
	},
	{
		mistake: "a values file that runs a command",
		files: good("chart: ./charts/small", "values:", "  - values/good.yaml.gotmpl").
			and("values/good.yaml.gotmpl", "text: first\nimage: {{ envExec (dict) \"date\" list }}\n"),
		code: desiredInvalid, message: []string{"values/good.yaml.gotmpl:2", "envExec is not supported"},
	},
	{
		mistake: "a value that comes from a command",
		files:   good("chart: ./charts/small", "values:", "  - text: ref+exec://date"),
		code:    desiredInvalid, message: []string{"helmfile.yaml:5", "ref+exec:// is not supported", "ref+sops://"},
	},
	{
		mistake: "a value that comes from a command, composed by a template",
		files:   files{"helmfile.yaml": deleted, "helmfile.yaml.gotmpl": "releases:\n" + second + "      - text: {{ printf \"ref+%s://date\" \"exec\" }}\n"},
		code:    desiredInvalid, message: []string{"helmfile.yaml.gotmpl", "release other", "ref+exec:// in values is not supported"},
	},
	{
		mistake: "an environment in another cluster",
		files:   files{"helmfile.yaml": "environments:\n  default:\n    kubeContext: elsewhere\n---\nreleases:\n" + second},
		code:    desiredInvalid, message: []string{"helmfile.yaml", "environment default", "kubeContext: elsewhere", "one cluster only"},
	},
	{
		mistake: "a values file in another git repository",
		files:   good("chart: ./charts/small", "values:", "  - git::https://git.example.com/shop/config.git@values.yaml?ref=main"),
		env:     []string{"PATH="},
		code:    desiredInvalid, message: []string{"good", "has no git", "https archive"},
	},
	{
		mistake: "a chart in another git repository",
		files:   good("chart: git::https://git.example.com/shop/charts.git@small?ref=main"),
		env:     []string{"PATH="},
		code:    releasesFailed, message: []string{"<namespace>/good", "git.example.com/shop/charts.git", "has no git", "OCI registry"},
	},
	{
		mistake: "a nested helmfile in another git repository",
		files:   files{"helmfile.yaml": "helmfiles:\n  - git::https://git.example.com/shop/more.git@helmfile.yaml?ref=main\nreleases:\n" + second},
		env:     []string{"PATH="},
		code:    desiredInvalid, message: []string{"helmfile.yaml", "helmfiles[0]", "has no git", "copy"},
	},
	{
		mistake: "all unsupported fields",
		files: good("chart: ./charts/small", "postRenderer: ./render.sh", "kubeContext: elsewhere", "adopt: [configmap/good]", "serverSide: \"true\"",
			"forceConflicts: true", "rollbackOnFailure: true", "trackMode: kubedog"),
		code: desiredInvalid, message: []string{"helmfile.yaml", "release good", "postRenderer", "use jsonPatches", "kubeContext: elsewhere", "adopt", "use takeOwnership",
			"serverSide", "forceConflicts", "rollbackOnFailure", "use atomic", "trackMode: kubedog", "use wait: true"},
	},
	{
		mistake: "unsupported fields in defaults",
		files: files{"helmfile.yaml": "repositories:\n  - name: acme\n    url: acme.azurecr.io\n    managed: acr\nhelmDefaults:\n  kubeContext: elsewhere\n" +
			"  postRenderer: ./render.sh\n  serverSide: \"true\"\n  trackMode: kubedog\nreleases:\n" + second},
		code: desiredInvalid, message: []string{"helmfile.yaml", "repository acme", "managed: acr", "use oci: true", "helmDefaults", "kubeContext: elsewhere", "postRenderer",
			"serverSide", "trackMode: kubedog"},
	},
	{
		mistake: "unsupported fields in two nested files",
		files: files{"helmfile.yaml": "helmfiles:\n  - apps/a.yaml\n  - apps/b.yaml\nreleases:\n" + second,
			"apps/a.yaml": "releases:\n  - name: a\n    chart: ../charts/small\n    postRenderer: ./render.sh\n",
			"apps/b.yaml": "releases:\n  - name: b\n    chart: ../charts/small\n    adopt: [configmap/b]\n"},
		code: desiredInvalid, message: []string{"apps/a.yaml", "release a", "postRenderer", "apps/b.yaml", "release b", "adopt"},
	},
	{
		mistake: "an unknown argument for helm",
		files:   files{"helmfile.yaml": "helmDefaults:\n  syncArgs: [--dryrun]\nreleases:\n" + second},
		code:    desiredInvalid, message: []string{"helmfile.yaml", "other", "--dryrun", "remove it from args or syncArgs"},
	},
}

// deleted, as the content of a file, deletes the file.
const deleted = "\x00deleted"

const circle = `releases:
  - name: good
    chart: ./charts/small
    needs: [other]
  - name: other
    chart: ./charts/small
    needs: [good]
`

// encrypted is a file for a recipient whose private key does not exist any more.
//
//go:embed testdata/badinput/encrypted.yaml
var encrypted string

const (
	recipient = "age10pxyfns3mw6mksx4y7795vlnsxe9pve0jtkmgdu5qlmp4n3xxyqslk4qq0"
	// wrongKey is an age identity for which no file is encrypted.
	wrongKey = "AGE-SECRET-KEY-1" + "N3NE5YF522Y0LETYJVYA28PZS2XEFZHVU4F39V7KGXFRAF96E9LQLCW0F6"
)

var badSecrets = []badInput{
	{
		mistake: "secrets whose key is missing",
		files:   good("chart: ./charts/small", "secrets:", "  - secrets.yaml").and("secrets.yaml", encrypted),
		code:    unreadable, message: []string{"good", "secrets.yaml", recipient},
	},
	{
		mistake: "secrets for another key",
		files:   good("chart: ./charts/small", "secrets:", "  - secrets.yaml").and("secrets.yaml", encrypted),
		env:     []string{"SOPS_AGE_KEY=" + wrongKey},
		code:    unreadable, message: []string{"good", "secrets.yaml", recipient},
	},
	{
		mistake: "secrets that are not encrypted",
		files:   good("chart: ./charts/small", "secrets:", "  - secrets.yaml").and("secrets.yaml", "text: <password>\n"),
		code:    unreadable, message: []string{"good", "secrets.yaml", "not encrypted", "encrypt it"},
	},
	{
		mistake: "a missing secrets file",
		files:   good("chart: ./charts/small", "secrets:", "  - secrets.yaml"),
		code:    desiredInvalid, message: []string{"good", "secrets.yaml"},
	},
	{
		mistake: "an environment's secrets whose key is missing",
		files: files{"helmfile.yaml": "environments:\n  default:\n    secrets:\n      - environments/secrets.yaml\n---\nreleases:\n" + second,
			"environments/secrets.yaml": encrypted},
		code: unreadable, message: []string{"environments/secrets.yaml", recipient},
	},
}

var badReleases = []badInput{
	{
		mistake: "a missing chart directory",
		files:   good("chart: ./charts/none"),
		code:    releasesFailed, message: []string{"<namespace>/good", "charts/none"},
	},
	{
		mistake: "a chart of a repository that is not declared",
		files:   good("chart: acme/small"),
		code:    releasesFailed, message: []string{"<namespace>/good", "acme/small", `no repository "acme" is declared`},
	},
	{
		mistake: "a chart that the repository does not have",
		files:   repositoryOf("<charts>", "chart: acme/large"),
		code:    releasesFailed, message: []string{"<namespace>/good", "large", "<charts>"},
	},
	{
		mistake: "a chart version that the repository does not have",
		files:   repositoryOf("<charts>", "chart: acme/small", "version: 7.0.0"),
		code:    releasesFailed, message: []string{"<namespace>/good", "small", "7.0.0", "<charts>"},
	},
	{
		mistake: "an invalid version",
		files:   repositoryOf("<charts>", "chart: acme/small", "version: latest"),
		code:    releasesFailed, message: []string{"<namespace>/good", "small", "latest"},
	},
	{
		mistake: "a chart repository that is down",
		files:   repositoryOf("http://<dead>/charts", "chart: acme/small", "version: 1.0.0"),
		code:    releasesFailed, message: []string{"<namespace>/good", "http://<dead>/charts", "connection refused"},
	},
	{
		mistake: "a chart repository at a loopback address that is not listed",
		files:   repositoryOf("<charts>", "chart: acme/small", "version: 1.0.0"),
		env:     []string{"HELMFILE_AGENT_ALLOW_REMOTE=*"},
		code:    releasesFailed, message: []string{"<namespace>/good", "<charts>", "loopback", "allowRemote"},
	},
	{
		mistake: "a chart repository at a loopback address, for a patched chart that a child process downloads",
		files: repositoryOf("<charts>", "chart: acme/small", "version: 1.0.0", "jsonPatches:",
			"  - target: {version: v1, kind: ConfigMap, name: good}", "    patch: [{op: add, path: /data/more, value: x}]"),
		env:  []string{"HELMFILE_AGENT_ALLOW_REMOTE=*"},
		code: releasesFailed, message: []string{"<namespace>/good", "<charts>", "loopback", "allowRemote"},
	},
	{
		mistake: "a registry at a loopback address that is not listed",
		files:   good("chart: oci://<registry>/charts/small", "plainHttp: true", "version: 1.0.0"),
		env:     []string{"HELMFILE_AGENT_ALLOW_REMOTE=charts.example"},
		code:    releasesFailed, message: []string{"<namespace>/good", "<registry>/charts/small", "loopback", "allowRemote"},
	},
	{
		mistake: "a chart outside of the repository",
		files:   good("chart: /etc"),
		code:    desiredInvalid, message: []string{"release good: chart", "outside of the repository"},
	},
	{
		mistake: "a dependency outside of the repository",
		files:   ownChart(files{"Chart.yaml": "apiVersion: v2\nname: own\nversion: 1.0.0\ndependencies:\n  - name: etc\n    version: 1.0.0\n    repository: file:///etc\n"}),
		code:    releasesFailed, message: []string{"<namespace>/good", "charts/own", "dependency etc", "outside of the repository"},
	},
	{
		mistake: "a chart that the registry does not have",
		files:   good("chart: oci://<registry>/charts/large", "plainHttp: true", "version: 1.0.0"),
		code:    releasesFailed, message: []string{"<namespace>/good", "<registry>/charts/large", "1.0.0", "not found"},
	},
	{
		mistake: "a tag that the registry does not have",
		files:   good("chart: oci://<registry>/charts/small", "plainHttp: true", "version: 7.0.0"),
		code:    releasesFailed, message: []string{"<namespace>/good", "<registry>/charts/small", "7.0.0", "not found"},
	},
	{
		mistake: "a registry that is down",
		files:   good("chart: oci://<dead>/charts/small", "version: 1.0.0"),
		code:    releasesFailed, message: []string{"<namespace>/good", "<dead>/charts/small", "connection refused"},
	},
	{
		mistake: "a required value of a chart",
		files:   ownChart(files{"templates/text.yaml": "text: {{ required \"image must be given\" .Values.image }}\n"}),
		code:    releasesFailed, message: []string{"<namespace>/good", "own/templates/text.yaml:1:", "image must be given"},
	},
	{
		mistake: "a template that cannot be parsed by helm",
		files:   ownChart(files{"templates/text.yaml": "text: a\nmore: {{ .Values.text\n"}),
		code:    releasesFailed, message: []string{"<namespace>/good", "own/templates/text.yaml:2"},
	},
	{
		mistake: "values that violate the chart's schema",
		files: ownChart(files{"values.schema.json": `{"type": "object", "properties": {"replicas": {"type": "integer"}}}`}).
			and("helmfile.yaml", good("chart: ./charts/own", "values:", "  - replicas: many")["helmfile.yaml"]),
		code: releasesFailed, message: []string{"<namespace>/good", "own", "replicas", "integer"},
	},
	{
		mistake: "a chart that renders what is not YAML",
		files:   ownChart(files{"templates/text.yaml": "apiVersion: v1\nkind: ConfigMap\n  data: {\n"}),
		code:    releasesFailed, message: []string{"<namespace>/good", "own/templates/text.yaml", "line 3"},
	},
	{
		mistake: "a chart that renders an object without a kind",
		files:   ownChart(files{"templates/text.yaml": "apiVersion: v1\nmetadata:\n  name: good\n"}),
		code:    releasesFailed, message: []string{"<namespace>/good", "kind"},
	},
	{
		mistake: "a kind that the cluster does not know",
		files:   ownChart(files{"templates/text.yaml": "apiVersion: acme.example/v1\nkind: Gadget\nmetadata:\n  name: good\n"}),
		code:    releasesFailed, message: []string{"<namespace>/good", "Gadget", "acme.example/v1"},
	},
	{
		mistake:  "an object that the API server does not accept",
		files:    ownChart(files{"templates/text.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\ndata:\n  \"not a key\": x\n"}),
		recorded: true,
		code:     releasesFailed, message: []string{"<namespace>/good", "ConfigMap", `"good"`, "not a key"},
	},
	{
		mistake:  "a field that the kind does not have",
		files:    ownChart(files{"templates/text.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\ndata:\n  text: [first]\n"}),
		recorded: true,
		code:     releasesFailed, message: []string{"<namespace>/good", `"good" with kind ConfigMap`, "cannot unmarshal array", "ConfigMap.data"},
	},
	{
		mistake:  "an object that belongs to another release",
		files:    ownChart(files{"templates/text.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: other\n"}),
		recorded: true,
		code:     releasesFailed, message: []string{"<namespace>/good", `ConfigMap "other"`, "other"},
	},
	{
		mistake: "a patch that cannot be applied",
		files:   good("chart: ./charts/small", "jsonPatches:", "  - target: {version: v1, kind: ConfigMap, name: good}", "    patch: [{op: remove, path: /data/none}]"),
		code:    releasesFailed, message: []string{"<namespace>/good", "/data/none"},
	},
	{
		mistake: "an invalid name of a release",
		files:   files{"helmfile.yaml": "releases:\n  - name: Good_Release\n    chart: ./charts/small\n" + second},
		code:    releasesFailed, message: []string{"Good_Release", "invalid"},
	},
	{
		mistake: "a library chart",
		files:   ownChart(files{"Chart.yaml": "apiVersion: v2\nname: own\nversion: 1.0.0\ntype: library\n"}),
		code:    releasesFailed, message: []string{"<namespace>/good", "charts/own", "library charts are not installable"},
	},
	{
		mistake: "a chart without Chart.yaml",
		files:   ownChart(files{"Chart.yaml": "apiVersion: v2\nversion: 1.0.0\n"}),
		code:    releasesFailed, message: []string{"<namespace>/good", "charts/own", "name is required"},
	},
	{
		mistake: "a dependency that its repository does not have",
		files:   ownChart(files{"Chart.yaml": "apiVersion: v2\nname: own\nversion: 1.0.0\ndependencies:\n  - name: large\n    version: 1.0.0\n    repository: <charts>\n"}),
		code:    releasesFailed, message: []string{"<namespace>/good", "charts/own", "large", "<charts>"},
	},
}

var badCluster = []badInput{
	{
		mistake: "an API server that is down",
		local:   files{"kubeconfig": kubeconfig("server: https://<dead>")},
		args:    []string{"--kubeconfig", "kubeconfig"},
		code:    noCluster, message: []string{"https://<dead>", "connection refused"},
	},
	{
		mistake: "a token that the API server does not accept",
		local:   files{"kubeconfig": kubeconfig("server: <server>", "insecure-skip-tls-verify: true")},
		args:    []string{"--kubeconfig", "kubeconfig"},
		code:    noCluster, message: []string{"<server>", "does not accept the token", "renew it"},
	},
	{
		mistake: "an API server whose certificate is not trusted",
		local:   files{"kubeconfig": kubeconfig("server: <server>")},
		args:    []string{"--kubeconfig", "kubeconfig"},
		code:    noCluster, message: []string{"<server>", "certificate"},
	},
	{
		mistake: "a timeout that is too short",
		files:   good("chart: ./charts/small"),
		args:    []string{"--timeout", "1ms"},
		code:    deadline, message: []string{"did not end within 1ms"},
	},
	{
		mistake: "a user without any right",
		files:   good("chart: ./charts/small"),
		args:    []string{"--kubeconfig", "<stranger's kubeconfig>"},
		code:    forbidden, message: []string{"<stranger>", "get", "configmaps", "<namespace>"},
	},
	{
		mistake: "a namespace in which the agent has no rights",
		files:   good("chart: ./charts/small", "namespace: elsewhere"),
		code:    forbidden, message: []string{"elsewhere", "list", "secrets", "kubectl create namespace elsewhere"},
	},
	{
		mistake: "an object that the tenant may not create",
		files: ownChart(files{"templates/text.yaml": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: good\n"}).
			and("charts/own/templates/more.yaml", "apiVersion: v1\nkind: ResourceQuota\nmetadata:\n  name: good\n"),
		code: forbidden, message: []string{"nothing was changed", "create clusterroles.rbac.authorization.k8s.io (cluster-scoped)", "create resourcequotas in namespace <namespace>",
			"<namespace>/good", "grant it"},
	},
}

// repositoryOf returns a helmfile with the chart repository acme. The release good uses a chart from it.
func repositoryOf(url string, lines ...string) files {
	all := good(lines...)
	return all.and("helmfile.yaml", "repositories:\n  - name: acme\n    url: "+url+"\n"+all["helmfile.yaml"])
}

// kubeconfig returns a kubeconfig with one cluster and a token that the cluster does not accept.
func kubeconfig(lines ...string) string {
	text := "apiVersion: v1\nkind: Config\ncurrent-context: here\ncontexts:\n- name: here\n  context:\n    cluster: here\n    user: me\n" +
		"users:\n- name: me\n  user:\n    token: <password>\nclusters:\n- name: here\n  cluster:\n"
	for _, line := range lines {
		text += "    " + line + "\n"
	}
	return text
}
