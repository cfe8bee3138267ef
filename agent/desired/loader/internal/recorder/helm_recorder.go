package recorder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/helmfile/helmfile/pkg/helmexec"
	"github.com/helmfile/helmfile/pkg/state"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/getter"

	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/decryption"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/unsupported"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Agent downloads charts for the loader.
type Agent interface {
	Register(ctx context.Context, repositories ...release.Repository) error
	Pull(ctx context.Context, chart release.Chart) (dir string, err error)
}

// Mask sends secrets to the agent, which masks them.
type Mask interface {
	Add(values ...string)
	AddDocument(plain []byte)
}

// Options configure a Recorder.
type Options struct {
	Agent     Agent
	Decrypter *decryption.Decrypter
	Mask      Mask
	Namespace string                  // of releases that name none
	CheckPath func(path string) error // refuses a path outside of the repository
}

// Recorder implements Helm for helmfile. It records the releases that helmfile would install, and changes nothing.
type Recorder struct {
	Options
	ctx context.Context

	mu           sync.Mutex
	repositories map[string]release.Repository // by name
	logins       map[string]release.Repository // by registry host
	stubs        map[string]release.Chart      // charts of registries that were not downloaded, by the directory of the stub

	// The fields below belong to the current state file.

	extraArgs     []string
	patchesCharts bool // helmfile changes charts, and so needs their files
	records       map[release.Key]release.Desired
	entries       map[release.Key][]any // the values, then the secrets of a release
	secretCounts  map[release.Key]int   // how many of the entries are secrets
	encrypted     []string              // messages about values that are still encrypted
}

var _ helmexec.Interface = (*Recorder)(nil)

// New returns a Recorder for all state files of one load.
func New(ctx context.Context, options Options) *Recorder {
	return &Recorder{
		Options:      options,
		ctx:          ctx,
		repositories: map[string]release.Repository{},
		logins:       map[string]release.Repository{},
		stubs:        map[string]release.Chart{},
	}
}

// Begin starts to record a new state file. The repositories remain, because helmfile adds each only once. If helmfile changes charts of
// this state, charts that were only stubs until now are downloaded: helmfile remembers their directories.
func (r *Recorder) Begin(extraArgs []string, patchesCharts bool) error {
	r.extraArgs, r.patchesCharts = extraArgs, patchesCharts
	r.records, r.encrypted = map[release.Key]release.Desired{}, nil
	if !patchesCharts {
		return nil
	}
	for dir, chart := range r.stubs {
		if err := r.pull(chart, filepath.Dir(dir)); err != nil {
			return err
		}
		delete(r.stubs, dir)
	}
	return nil
}

// Expect tells the Recorder which releases helmfile is going to install.
func (r *Recorder) Expect(specs []state.ReleaseSpec) {
	r.entries, r.secretCounts = map[release.Key][]any{}, map[release.Key]int{}
	for _, spec := range specs {
		key := r.Key(spec.Namespace, spec.Name)
		r.entries[key] = slices.Concat(spec.Values, spec.Secrets)
		r.secretCounts[key] = len(spec.Secrets)
	}
}

// Recorded returns what helmfile passed to `helm upgrade --install` for a release of the current state file.
func (r *Recorder) Recorded(key release.Key) (want release.Desired, found bool) {
	want, found = r.records[key]
	return want, found
}

// Encrypted returns messages about values of the current state file that are still encrypted.
func (r *Recorder) Encrypted() []string { return r.encrypted }

// ExtraOptions returns the options in the `args` of the current state file. helmfile passes them to `helm uninstall` too.
func (r *Recorder) ExtraOptions() (release.Options, error) {
	f, err := parseUpgradeFlags(r.extraArgs)
	if err != nil {
		return release.Options{}, err
	}
	return f.options, nil
}

// Key returns the key of a release. An empty namespace is the default one.
func (r *Recorder) Key(namespace, name string) release.Key {
	if namespace == "" {
		namespace = r.Namespace
	}
	return release.Key{Namespace: namespace, Name: name}
}

// SyncRelease implements helmexec.Interface: it records a release. It reads the values files now, because helmfile removes them soon.
func (r *Recorder) SyncRelease(hc helmexec.HelmContext, name, chartRef, namespace string, flags ...string) error {
	f, err := parseUpgradeFlags(append(slices.Clone(flags), r.extraArgs...))
	if err != nil {
		return err
	}
	if err := r.checkSetFiles(f.values.FileValues); err != nil {
		return err
	}
	key := r.Key(namespace, name)
	r.sendSecrets(key, f.values.ValueFiles)
	merged, err := f.values.MergeValues(getter.Providers{})
	if err != nil {
		return r.explainMerge(key, f.values.ValueFiles, err)
	}
	if !f.Changed("history-max") {
		f.options.HistoryMax = hc.HistoryMax
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.encrypted = append(r.encrypted, unsupported.EncryptedValues(name, r.entries[key], f.values.ValueFiles, merged)...)
	f.chart.Keyring = absolute(f.chart.Keyring)
	located, err := r.locate(chartRef, f.chart)
	r.records[key] = release.Desired{Key: key, Chart: located, Values: merged, Options: f.options, Broken: err}
	return nil
}

// checkSetFiles refuses --set-file name=path if the path is outside of the repository.
func (r *Recorder) checkSetFiles(flags []string) error {
	for _, flag := range flags {
		_, path, _ := strings.Cut(flag, "=")
		if err := r.CheckPath(path); err != nil {
			return err
		}
	}
	return nil
}

// sendSecrets sends the decrypted secrets of a release to the mask. They are in the last of the values files. The agent does not know
// those that helmfile rendered after the decryption.
func (r *Recorder) sendSecrets(key release.Key, files []string) {
	for _, file := range files[max(0, len(files)-r.secretCounts[key]):] {
		if content, err := os.ReadFile(file); err == nil { // MergeValues reports the error
			r.Mask.AddDocument(content)
		}
	}
}

// explainMerge names the entry whose file cannot be merged. helmfile passes one temporary file for each entry.
func (r *Recorder) explainMerge(key release.Key, files []string, err error) error {
	entries := r.entries[key]
	if len(entries) == len(files) {
		for i, file := range files {
			if _, invalid := chartutil.ReadValuesFile(file); invalid != nil {
				return fmt.Errorf("%v: %w", entries[i], invalid)
			}
		}
	}
	return fmt.Errorf("merge values: %w", err)
}

// locate adds to a chart where it is. It interprets the argument as Helm does.
func (r *Recorder) locate(ref string, chart release.Chart) (release.Chart, error) {
	if stub, ok := r.stubs[filepath.Clean(ref)]; ok {
		return stub, nil
	}
	if _, err := os.Stat(ref); err == nil {
		path, err := filepath.Abs(ref)
		chart.Path = path
		chart.Verify = false // helmfile verified what it unpacked, and a directory has no provenance file
		return chart, err
	}
	if strings.Contains(ref, "://") {
		chart.Ref = ref
		return chart, nil
	}
	name, chartName, found := strings.Cut(ref, "/")
	repository, known := r.repositories[name]
	if !found || !known {
		return chart, fmt.Errorf("chart %q: there is no such directory, and no repository %q is declared", ref, name)
	}
	chart.Ref, chart.Repository = chartName, &repository
	return chart, nil
}

// absolute returns a path that the agent can use, which has another working directory.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// DecryptSecret implements helmexec.Interface. It returns a new file, because helmfile deletes the file that it gets.
func (r *Recorder) DecryptSecret(_ helmexec.HelmContext, path string, _ ...string) (string, error) {
	plain, err := r.Decrypter.File(path, "")
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "secret")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, strings.TrimSuffix(filepath.Base(path), ".enc"))
	return file, os.WriteFile(file, plain, 0o600)
}
