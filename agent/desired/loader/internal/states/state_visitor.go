package states

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/helmfile/helmfile/pkg/app"
	"github.com/helmfile/helmfile/pkg/state"

	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/decryption"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/files"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/messages"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/recorder"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/references"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/unsupported"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// visitor collects the releases of all state files.
type visitor struct {
	req        Request
	files      *files.Repository
	translator messages.Translator
	decrypter  *decryption.Decrypter
	recorder   *recorder.Recorder
	vals       *references.ValsCache

	stage       int // the number of state files whose releases were recorded
	releases    []release.Desired
	unsupported []string        // messages about what the agent does not support
	visited     map[string]bool // state files, relative to the checkout
	nested      []string        // state files that visited ones include
	missing     []string        // messages about entries of `helmfiles:` that match no file
}

// visit is called by helmfile for each state file. Nested files come before the files that include them.
func (v *visitor) visit(run *app.Run) (bool, []error) {
	v.vals.SendSecrets()
	st := run.State()
	file := v.relative(st.FilePath)
	v.visited[file] = true
	for _, nested := range st.Helmfiles {
		v.nested = append(v.nested, v.stateFiles(nested.Path)...)
	}
	if messages := slices.Concat(unsupported.InState(st, file, v.req.KubeContext), chartsOutside(st, file, v.files.Check)); len(messages) > 0 {
		v.unsupported = append(v.unsupported, messages...)
		return true, nil
	}
	if _, err := st.PlanReleases(state.PlanOptions{}); err != nil {
		return false, []error{err}
	}
	releases, err := v.record(st, file)
	if err != nil {
		return false, []error{err}
	}
	v.releases = append(v.releases, releases...)
	v.stage++
	return true, nil
}

// record has helmfile prepare and "sync" the releases of a state, and returns all of its releases.
func (v *visitor) record(st *state.HelmState, file string) ([]release.Desired, error) {
	if err := v.recorder.Begin(app.GetArgs("", st), slices.ContainsFunc(st.Releases, unsupported.PatchesChart)); err != nil {
		return nil, err
	}
	if _, err := st.SyncRepos(v.recorder, map[string]bool{}); err != nil {
		return nil, err
	}
	paths, broken, err := v.prepareCharts(st)
	if err != nil {
		return nil, err
	}
	selected, err := st.SelectReleases(false)
	if err != nil {
		return nil, err
	}
	if err := v.sync(st, toInstall(selected, paths, broken)); err != nil {
		return nil, err
	}
	for _, message := range v.recorder.Encrypted() {
		v.unsupported = append(v.unsupported, file+": "+message)
	}
	releases := make([]release.Desired, 0, len(selected))
	for _, each := range selected {
		want, err := v.describe(st, each, broken[chartKey(each.ReleaseSpec)])
		if err != nil {
			return nil, err
		}
		want.File, want.Stage = file, v.stage
		releases = append(releases, want)
	}
	return releases, nil
}

// prepareCharts runs helmfile's preparation of charts. It does not call helmfile's cleanup: the agent needs the charts that chartify
// made until the run ends.
func (v *visitor) prepareCharts(st *state.HelmState) (map[state.PrepareChartKey]string, map[state.PrepareChartKey]error, error) {
	dir, err := os.MkdirTemp("", "charts")
	if err != nil {
		return nil, nil, err
	}
	opts := state.ChartPrepareOptions{SkipRepos: true, AllowFailedReleases: true, Concurrency: v.req.Concurrency}
	paths, broken, errs := st.PrepareCharts(v.recorder, dir, v.req.Concurrency, "sync", opts)
	if len(errs) > 0 && len(broken) == 0 {
		return nil, nil, errors.Join(errs...)
	}
	return paths, broken, nil
}

func chartKey(spec state.ReleaseSpec) state.PrepareChartKey {
	return state.PrepareChartKey{Namespace: spec.Namespace, Name: spec.Name, KubeContext: spec.KubeContext}
}

// toInstall returns the releases for which helmfile would run `helm upgrade --install`.
func toInstall(selected []state.Release, paths map[state.PrepareChartKey]string, broken map[state.PrepareChartKey]error) []state.ReleaseSpec {
	var specs []state.ReleaseSpec
	for _, each := range selected {
		spec := each.ReleaseSpec
		if each.Filtered || !spec.Desired() || broken[chartKey(spec)] != nil {
			continue
		}
		if path := paths[chartKey(spec)]; path != "" && path != spec.Chart {
			spec.ChartPath = path
		}
		specs = append(specs, spec)
	}
	return specs
}

// sync has helmfile pass these releases to the recorder.
func (v *visitor) sync(st *state.HelmState, specs []state.ReleaseSpec) error {
	all := slices.Clone(st.Releases)
	defer func() { st.Releases = all }()
	st.Releases = specs
	v.recorder.Expect(specs)
	return errors.Join(st.SyncReleases(&state.AffectedReleases{}, v.recorder, nil, v.req.Concurrency, &state.SyncOpts{})...)
}

// relative returns a path relative to the checkout.
func (v *visitor) relative(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if relative, err := filepath.Rel(v.req.Dir, path); err == nil {
		return relative
	}
	return path
}
