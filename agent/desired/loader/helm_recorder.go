package loader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"
	"github.com/helmfile/helmfile/pkg/helmexec"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/getter"
	chartv4 "helm.sh/helm/v4/pkg/chart/v2"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

// engine is helmfile's Helm. It records what helmfile would have done with it and does nothing.
type engine struct {
	ctx context.Context
	req request

	mu           sync.Mutex
	extraArgs    []string
	repositories map[string]release.Repository // by name
	logins       map[string]release.Repository // by registry host
	stubs        map[string]release.Chart      // OCI charts that stand in for the real ones, by directory
	patching     bool                          // the state makes other charts of its charts, and so needs their content
	records      map[release.Key]release.Desired
	entries      map[release.Key][]any // what a release has under values, then under secrets
	secrets      map[release.Key]int   // how many of those are secrets
	secretErr    error
	refused      []string  // releases of this state whose values must not be deployed
	onDisk       sync.Once // the warning that secrets are
}

var _ helmexec.Interface = (*engine)(nil)

// errNotHere answers what helmfile must not need while a state is only recorded.
var errNotHere = errors.New("not available while the helmfile is loaded")

func newEngine(ctx context.Context, req request) *engine {
	return &engine{
		ctx:          ctx,
		req:          req,
		repositories: map[string]release.Repository{},
		logins:       map[string]release.Repository{},
		stubs:        map[string]release.Chart{},
	}
}

// begin forgets the records of the previous state file. Repositories stay: helmfile adds each once. When the state patches
// charts, what was recorded only so far is downloaded: helmfile remembers the directories.
func (e *engine) begin(extraArgs []string, patching bool) error {
	e.extraArgs, e.patching = extraArgs, patching
	e.records, e.refused = map[release.Key]release.Desired{}, nil
	if !patching {
		return nil
	}
	for dir, stubbed := range e.stubs {
		if err := e.pull(stubbed, filepath.Dir(dir)); err != nil {
			return err
		}
		delete(e.stubs, dir)
	}
	return nil
}

// SyncRelease records one release. Values files are read now: helmfile removes them when it is done with the state.
func (e *engine) SyncRelease(hc helmexec.HelmContext, name, chartRef, namespace string, flags ...string) error {
	f, err := parseUpgrade(append(slices.Clone(flags), e.extraArgs...))
	if err != nil {
		return err
	}
	key := release.Key{Namespace: namespace, Name: name}
	if key.Namespace == "" {
		key.Namespace = e.req.Namespace
	}
	if err := e.req.refuseSetFiles(f.values.FileValues); err != nil {
		return err
	}
	e.learnSecrets(key, f.values.ValueFiles)
	merged, err := f.values.MergeValues(getter.Providers{})
	if err != nil {
		return e.blame(key, f.values.ValueFiles, err)
	}
	if !f.Changed("history-max") {
		f.options.HistoryMax = hc.HistoryMax
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refuseCiphertext(name, e.entries[key], f.values.ValueFiles, merged)
	f.chart.Keyring = absolute(f.chart.Keyring)
	located, err := e.locate(chartRef, f.chart)
	e.records[key] = release.Desired{Key: key, Chart: located, Values: merged, Options: f.options, Broken: err}
	return nil
}

// blame names the values entry whose file cannot be merged: helmfile hands over one temporary file for each.
func (e *engine) blame(key release.Key, files []string, err error) error {
	entries := e.entries[key]
	for i, file := range files {
		if _, broken := chartutil.ReadValuesFile(file); broken != nil && len(entries) == len(files) {
			return fmt.Errorf("%v: %w", entries[i], broken)
		}
	}
	return fmt.Errorf("merge values: %w", err)
}

// locate completes the chart flags with where the chart is, as helm itself would understand the argument.
func (e *engine) locate(ref string, c release.Chart) (release.Chart, error) {
	if stub, ok := e.stubs[filepath.Clean(ref)]; ok {
		return stub, nil
	}
	if _, err := os.Stat(ref); err == nil {
		path, err := filepath.Abs(ref)
		c.Path = path
		// A directory has no provenance: helmfile verified what it unpacked there.
		c.Verify = false
		return c, err
	}
	if strings.Contains(ref, "://") {
		c.Ref = ref
		return c, nil
	}
	repo, name, found := strings.Cut(ref, "/")
	repository, known := e.repositories[repo]
	if !found || !known {
		return c, fmt.Errorf("chart %q: there is no such directory, and no repository %q is declared", ref, repo)
	}
	c.Ref, c.Repository = name, &repository
	return c, nil
}

func (e *engine) AddRepo(name, url, caFile, certFile, keyFile, username, password, managed string, passCredentials, skipTLSVerify bool) error {
	if name == "" {
		return fmt.Errorf("repository %s has no name", url)
	}
	repository := release.Repository{
		Name: name, URL: url, Username: username, Password: password,
		CAFile: absolute(caFile), CertFile: absolute(certFile), KeyFile: absolute(keyFile),
		PassCredentials: passCredentials, InsecureSkipTLSVerify: skipTLSVerify,
	}
	e.req.report.Add(password)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.repositories[name] = repository
	return e.register(repository)
}

func (e *engine) RegistryLogin(host, username, password, caFile, certFile, keyFile string, skipTLSVerify bool) error {
	e.req.report.Add(password)
	login := release.Repository{
		Name: host, URL: "oci://" + host, OCI: true, Username: username, Password: password,
		CAFile: absolute(caFile), CertFile: absolute(certFile), KeyFile: absolute(keyFile), InsecureSkipTLSVerify: skipTLSVerify,
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.logins[host] = login
	return e.register(login)
}

// absolute is a path that means the same to the agent, whose working directory is another.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if real, err := filepath.Abs(path); err == nil {
		return real
	}
	return path
}

// register makes a repository known to those who fetch charts: the agent and the children that chartify starts. The latter are not
// told its password: the agent downloads for them.
func (e *engine) register(repository release.Repository) error {
	if err := e.req.agent.Register(e.ctx, repository); err != nil {
		return err
	}
	known := slices.Concat(byName(e.repositories), byName(e.logins))
	for i := range known {
		known[i].Username, known[i].Password = "", ""
	}
	return chart.WriteRepositories(os.Getenv("HELM_REPOSITORY_CONFIG"), known)
}

// pull has the agent download a chart, and copies it to into/<name>, where helmfile looks for it.
func (e *engine) pull(c release.Chart, into string) error {
	pulled, err := e.req.agent.Pull(e.ctx, c)
	if err != nil {
		return err
	}
	target := filepath.Join(into, filepath.Base(pulled))
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	return os.CopyFS(target, os.DirFS(pulled))
}

func byName(repositories map[string]release.Repository) []release.Repository {
	return slices.SortedFunc(maps.Values(repositories), func(a, b release.Repository) int { return cmp.Compare(a.Name, b.Name) })
}

// ChartPull leaves a stub where helmfile looks for the chart, so that a chart in a registry is downloaded later, and only
// if it is needed. A chart that helmfile is going to patch must be there for real.
func (e *engine) ChartPull(ref, dir string, flags ...string) error {
	c, err := e.ociChart(ref, flags)
	if err != nil {
		return err
	}
	if e.patching {
		return e.pull(c, dir)
	}
	stub := filepath.Join(dir, filepath.Base(strings.SplitN(c.Ref, "@", 2)[0]))
	if err := writeStub(stub, c.Version); err != nil {
		return fmt.Errorf("record chart %s: %w", c.Ref, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stubs[stub] = c
	return nil
}

func writeStub(dir, version string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if _, err := semver.NewVersion(version); err != nil {
		version = "0.0.0"
	}
	content, err := yaml.Marshal(map[string]string{"apiVersion": "v2", "name": filepath.Base(dir), "version": version})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "Chart.yaml"), content, 0o600)
}

// ociChart understands the reference that helmfile gives: no scheme, perhaps a tag that repeats the version, perhaps a digest.
func (e *engine) ociChart(ref string, flags []string) (release.Chart, error) {
	f := newUpgradeFlags()
	repository := release.Repository{OCI: true}
	f.StringVar(&repository.CAFile, "ca-file", "", "")
	f.StringVar(&repository.CertFile, "cert-file", "", "")
	f.StringVar(&repository.KeyFile, "key-file", "", "")
	f.String("registry-config", "", "")
	if err := f.Parse(flags); err != nil {
		return release.Chart{}, fmt.Errorf("pull %s: %w", ref, err)
	}
	repository.CAFile, repository.CertFile, repository.KeyFile = absolute(repository.CAFile), absolute(repository.CertFile), absolute(repository.KeyFile)
	c := f.chart
	c.Keyring = absolute(c.Keyring)
	name, digest, _ := strings.Cut(ref, "@")
	if slash, colon := strings.LastIndex(name, "/"), strings.LastIndex(name, ":"); colon > slash {
		c.Version = name[colon+1:]
		name = name[:colon]
	}
	c.Ref = "oci://" + name
	if digest != "" {
		c.Ref += "@" + digest
	}
	host, _, _ := strings.Cut(name, "/")
	e.mu.Lock()
	defer e.mu.Unlock()
	if login, ok := e.logins[host]; ok {
		c.Repository = &login
	} else if repository.CAFile != "" || repository.CertFile != "" {
		c.Repository = &repository
	}
	return c, nil
}

// DecryptSecret answers with a new file: helmfile deletes what it is given.
func (e *engine) DecryptSecret(_ helmexec.HelmContext, path string, _ ...string) (string, error) {
	plain, err := e.decryptFile(path)
	if err != nil {
		e.unreadable(err.Error())
		return "", err
	}
	e.warnOfDisk()
	dir, err := os.MkdirTemp("", "secret")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, strings.TrimSuffix(filepath.Base(path), ".enc"))
	return file, os.WriteFile(file, plain, 0o600)
}

func (e *engine) decryptFile(path string) ([]byte, error) {
	if err := e.req.roots.Check(path); err != nil {
		return nil, err
	}
	encrypted, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", secrets.DecryptErrorPrefix, path, err)
	}
	return e.req.agent.Decrypt(e.ctx, broker.Encrypted{Name: path, Content: encrypted})
}

// unreadable notes why a secret cannot be read.
func (e *engine) unreadable(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.secretErr = errors.Join(e.secretErr, errors.New(reason))
}

func (e *engine) secretsFailed() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.secretErr
}

// BuildDeps does nothing: a local chart's dependencies are built when the chart is loaded.
func (e *engine) BuildDeps(string, string, ...string) error { return nil }

// UpdateRepo does nothing: an index is downloaded when a chart of it is needed.
func (e *engine) UpdateRepo() error                { return nil }
func (e *engine) ChartExport(string, string) error { return nil }

func (e *engine) Fetch(string, ...string) error { return errNotHere }
func (e *engine) UpdateDeps(string) error       { return errNotHere }
func (e *engine) ShowChart(string) (chartv4.Metadata, error) {
	return chartv4.Metadata{}, errNotHere
}
func (e *engine) List(helmexec.HelmContext, string, ...string) (string, error) { return "", errNotHere }
func (e *engine) ReleaseStatus(helmexec.HelmContext, string, ...string) error  { return errNotHere }
func (e *engine) DeleteRelease(helmexec.HelmContext, string, ...string) error  { return errNotHere }
func (e *engine) TestRelease(helmexec.HelmContext, string, ...string) error    { return errNotHere }
func (e *engine) TemplateRelease(string, string, ...string) error              { return errNotHere }
func (e *engine) Lint(string, string, ...string) error                         { return errNotHere }
func (e *engine) Unittest(string, string, ...string) error                     { return errNotHere }
func (e *engine) DiffRelease(helmexec.HelmContext, string, string, string, bool, ...string) error {
	return errNotHere
}

func (e *engine) SetExtraArgs(...string)     {}
func (e *engine) SetHelmBinary(string)       {}
func (e *engine) SetEnableLiveOutput(bool)   {}
func (e *engine) SetDisableForceUpdate(bool) {}

func (e *engine) IsHelm3() bool { return true }
func (e *engine) IsHelm4() bool { return false }

// helmVersion is the Helm that this binary contains.
var helmVersion = semver.MustParse(chart.HelmVersion())

func (e *engine) GetVersion() helmexec.Version {
	return helmexec.Version{Major: int(helmVersion.Major()), Minor: int(helmVersion.Minor()), Patch: int(helmVersion.Patch())}
}

func (e *engine) IsVersionAtLeast(version string) bool {
	return !helmVersion.LessThan(semver.MustParse(version))
}
