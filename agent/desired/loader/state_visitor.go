package loader

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/helmfile/helmfile/pkg/app"
	"github.com/helmfile/helmfile/pkg/state"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// loader gathers the releases of one state file after another.
type loader struct {
	req    request
	engine *engine

	stage    int
	releases []release.Desired
	refused  []string
	visited  map[string]bool // state files seen, relative to the checkout
	files    sync.Map        // file name to content, as last read
	nested   []string        // state files that seen ones include
	missing  []string        // and those that are not there, with the reason
	resolved resolved        // ref+ values
}

// visit is called by helmfile for each state file, nested ones before those that include them.
func (l *loader) visit(run *app.Run) (bool, []error) {
	l.learn()
	st := run.State()
	file := l.relative(st.FilePath)
	l.visited[file] = true
	for _, nested := range st.Helmfiles {
		l.nested = append(l.nested, l.stateFiles(nested.Path)...)
	}
	if refused := append(refuse(st, file, l.req.KubeContext), l.outside(st, file)...); len(refused) > 0 {
		l.refused = append(l.refused, refused...)
		return true, nil
	}
	if _, err := st.PlanReleases(state.PlanOptions{}); err != nil {
		return false, []error{err}
	}
	releases, err := l.record(st, file)
	if err != nil {
		return false, []error{err}
	}
	l.releases = append(l.releases, releases...)
	l.stage++
	return true, nil
}

// record lets helmfile prepare and "sync" the releases that are to be installed, and describes all of them.
func (l *loader) record(st *state.HelmState, file string) ([]release.Desired, error) {
	if err := l.engine.begin(app.GetArgs("", st), patchesCharts(st)); err != nil {
		return nil, err
	}
	if _, err := st.SyncRepos(l.engine, map[string]bool{}); err != nil {
		return nil, err
	}
	paths, broken, err := l.prepare(st)
	if err != nil {
		return nil, err
	}
	marked, err := st.SelectReleases(false)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(st.Releases)
	st.Releases = toInstall(marked, paths, broken)
	l.engine.entries, l.engine.secrets = l.entries(st.Releases), l.countSecrets(st.Releases)
	errs := st.SyncReleases(&state.AffectedReleases{}, l.engine, nil, l.req.Concurrency, &state.SyncOpts{})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	st.Releases = all
	for _, refused := range l.engine.refused {
		l.refused = append(l.refused, file+": "+refused)
	}
	described := make([]release.Desired, 0, len(marked))
	for _, m := range marked {
		want, err := l.describe(st, m, broken[prepareKey(m.ReleaseSpec)])
		if err != nil {
			return nil, err
		}
		want.File, want.Stage = file, l.stage
		described = append(described, want)
	}
	return described, nil
}

// prepare runs helmfile's chart preparation. What chartify makes lives in the workspace until the run ends, so helmfile's
// own clean-up, which would come too early, is not called.
func (l *loader) prepare(st *state.HelmState) (map[state.PrepareChartKey]string, map[state.PrepareChartKey]error, error) {
	dir, err := os.MkdirTemp("", "charts")
	if err != nil {
		return nil, nil, err
	}
	opts := state.ChartPrepareOptions{SkipRepos: true, AllowFailedReleases: true, Concurrency: l.req.Concurrency}
	paths, broken, errs := st.PrepareCharts(l.engine, dir, l.req.Concurrency, "sync", opts)
	if len(errs) > 0 && len(broken) == 0 {
		return nil, nil, errors.Join(errs...)
	}
	return paths, broken, nil
}

func prepareKey(spec state.ReleaseSpec) state.PrepareChartKey {
	return state.PrepareChartKey{Namespace: spec.Namespace, Name: spec.Name, KubeContext: spec.KubeContext}
}

// toInstall are the releases for which helmfile would run `helm upgrade --install`.
func toInstall(marked []state.Release, paths map[state.PrepareChartKey]string, broken map[state.PrepareChartKey]error) []state.ReleaseSpec {
	var specs []state.ReleaseSpec
	for _, m := range marked {
		spec := m.ReleaseSpec
		if m.Filtered || !spec.Desired() || broken[prepareKey(spec)] != nil {
			continue
		}
		if path := paths[prepareKey(spec)]; path != "" && path != spec.Chart {
			spec.ChartPath = path
		}
		specs = append(specs, spec)
	}
	return specs
}

// entries are what each release has under values and secrets.
func (l *loader) entries(specs []state.ReleaseSpec) map[release.Key][]any {
	all := map[release.Key][]any{}
	for _, spec := range specs {
		all[l.key(spec.Namespace, spec.Name)] = slices.Concat(spec.Values, spec.Secrets)
	}
	return all
}

// patchesCharts says whether helmfile makes another chart of any that the state names, and so needs their content.
func patchesCharts(st *state.HelmState) bool {
	return slices.ContainsFunc(st.Releases, patched)
}

func patched(spec state.ReleaseSpec) bool {
	return len(spec.JSONPatches)+len(spec.StrategicMergePatches)+len(spec.Transformers)+len(spec.Dependencies) > 0 ||
		spec.ForceNamespace != ""
}

// describe joins what helmfile says of a release with what the engine recorded.
func (l *loader) describe(st *state.HelmState, m state.Release, broken error) (release.Desired, error) {
	spec := m.ReleaseSpec
	key := l.key(spec.Namespace, spec.Name)
	wanted, err := stateOf(st, m)
	if err != nil {
		return release.Desired{}, err
	}
	want := release.Desired{Key: key}
	if wanted == release.Installed && broken == nil {
		recorded, ok := l.engine.records[key]
		if !ok {
			return release.Desired{}, fmt.Errorf("release %s: helmfile did not say how to install it", key)
		}
		want = recorded
	}
	if broken != nil {
		want.Broken = errors.New(l.plain(broken.Error()))
	}
	want.State = wanted
	want.Labels = spec.Labels
	want.Chart.Name = spec.Chart
	want.Chart.SkipDependencies = orDefault(spec.SkipDeps, st.HelmDefaults.SkipDeps)
	want.Needs = l.needs(spec)
	return want, l.setDeletion(&want.Options, st, spec)
}

func stateOf(st *state.HelmState, m state.Release) (release.DesiredState, error) {
	enabled, err := state.ConditionEnabled(m.ReleaseSpec, st.Values())
	switch {
	case err != nil:
		return "", fmt.Errorf("release %s: condition: %w", m.Name, err)
	case !enabled:
		return release.Disabled, nil
	case m.Filtered:
		return release.Unselected, nil
	case !m.Desired():
		return release.Absent, nil
	default:
		return release.Installed, nil
	}
}

// setDeletion says how the release is uninstalled. The state's args, unlike its syncArgs, are for `helm uninstall` too.
func (l *loader) setDeletion(o *release.Options, st *state.HelmState, spec state.ReleaseSpec) error {
	args, err := parseUpgrade(l.engine.extraArgs)
	if err != nil {
		return err
	}
	d := st.HelmDefaults
	o.DisableHooks = o.DisableHooks || args.options.DisableHooks
	o.DeleteWait = orDefault(spec.DeleteWait, d.DeleteWait) || args.options.Wait
	o.DeleteTimeout = cmp.Or(args.options.Timeout, seconds(orDefault(spec.DeleteTimeout, d.DeleteTimeout)))
	if cascade := spec.Cascade; cascade != nil {
		o.Cascade = *cascade
	} else if d.Cascade != nil {
		o.Cascade = *d.Cascade
	}
	o.ReinstallIfForbidden = spec.UpdateStrategy == state.UpdateStrategyReinstallIfForbidden
	return nil
}

func orDefault[T any](own *T, general T) T {
	if own != nil {
		return *own
	}
	return general
}

func (l *loader) key(namespace, name string) release.Key {
	if namespace == "" {
		namespace = l.req.Namespace
	}
	return release.Key{Namespace: namespace, Name: name}
}

// needs reads helmfile's "[[context/]namespace/]name".
func (l *loader) needs(spec state.ReleaseSpec) []release.Key {
	var keys []release.Key
	for _, need := range spec.Needs {
		parts := strings.Split(need, "/")
		namespace := spec.Namespace
		if len(parts) > 1 {
			namespace = parts[len(parts)-2]
		}
		keys = append(keys, l.key(namespace, parts[len(parts)-1]))
	}
	return keys
}

func (l *loader) relative(path string) string {
	if !filepath.IsAbs(path) {
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
	}
	if relative, err := filepath.Rel(l.req.Dir, path); err == nil {
		return relative
	}
	return path
}

// remote paths are fetched elsewhere: helmfile alone knows where to.
func remote(path string) bool { return strings.Contains(path, "://") || strings.Contains(path, "::") }

// stateFiles are the state files that a path stands for: itself, or those in the directory that it names.
func (l *loader) stateFiles(path string) []string {
	if remote(path) {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	if !info.IsDir() {
		return []string{l.relative(path)}
	}
	var files []string
	for _, pattern := range []string{"*.y*ml", "*.y*ml.gotmpl"} {
		matches, _ := filepath.Glob(filepath.Join(path, pattern)) // the patterns are well-formed
		for _, match := range matches {
			files = append(files, l.relative(match))
		}
	}
	return files
}

// passedOver compares the state files there are with those that helmfile visited: it skips, without a word, those that do
// not define the environment. With selectors it also skips those that cannot match, which is no concern.
func (l *loader) passedOver() []string {
	if len(l.req.Selectors) > 0 {
		return nil
	}
	expected := append(l.topLevel(), l.nested...)
	slices.Sort(expected)
	var missing []string
	for _, file := range slices.Compact(expected) {
		if !l.visited[file] {
			missing = append(missing, fmt.Sprintf("%s does not define the environment %q", file, l.req.Environment))
		}
	}
	return append(missing, l.missing...)
}

// notThere is how helmfile warns of an entry of `helmfiles:` that matches no file, where missingFileHandler allows that.
const notThere = "no matches for path: "

// hear listens to helmfile's log: some things it says nowhere else.
func (l *loader) hear(message string) {
	l.learn()
	if path, ok := strings.CutPrefix(message, notThere); ok {
		l.missing = append(l.missing, path+" is not there")
	}
}

func (l *loader) topLevel() []string {
	path := l.req.Path
	if path == "" {
		path = app.DefaultHelmfileDirectory
	}
	return l.stateFiles(filepath.Join(l.req.Dir, path))
}

// unique makes sure that a release is asked for once. Declarations that are disabled or not selected give way to one that
// is not: helmfile allows such alternatives.
func unique(all []release.Desired) ([]release.Desired, error) {
	chosen := map[release.Key]int{}
	var kept []release.Desired
	var errs []error
	for _, want := range all {
		at, seen := chosen[want.Key]
		switch {
		case !seen:
			chosen[want.Key] = len(kept)
			kept = append(kept, want)
		case passive(want):
		case passive(kept[at]):
			kept[at] = want
		default:
			errs = append(errs, fmt.Errorf("release %s is declared twice: %s", want.Key, places(kept[at].File, want.File)))
		}
	}
	slices.SortFunc(kept, func(a, b release.Desired) int { return a.Key.Compare(b.Key) })
	return kept, errors.Join(errs...)
}

func places(one, other string) string {
	if one == other {
		return "both times in " + one
	}
	return "in " + one + " and in " + other
}

func passive(want release.Desired) bool {
	return want.State == release.Disabled || want.State == release.Unselected
}
