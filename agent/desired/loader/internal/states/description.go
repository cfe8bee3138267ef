package states

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/helmfile/helmfile/pkg/state"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// describe combines what the state says about a release with what was recorded. broken is why its chart could not be prepared.
func (v *visitor) describe(st *state.HelmState, selected state.Release, broken error) (release.Desired, error) {
	spec := selected.ReleaseSpec
	key := v.recorder.Key(spec.Namespace, spec.Name)
	desiredState, err := desiredStateOf(st, selected)
	if err != nil {
		return release.Desired{}, err
	}
	want := release.Desired{Key: key}
	if desiredState == release.Installed && broken == nil {
		recorded, found := v.recorder.Recorded(key)
		if !found {
			return release.Desired{}, fmt.Errorf("release %s: helmfile did not pass it to Helm", key)
		}
		want = recorded
	}
	if broken != nil {
		want.Broken = errors.New(v.translator.Translate(broken.Error()))
	}
	want.State = desiredState
	want.Labels = spec.Labels
	want.Chart.Name = spec.Chart
	want.Chart.SkipDependencies = orDefault(spec.SkipDeps, st.HelmDefaults.SkipDeps)
	want.Needs = v.needs(spec)
	want.Options.ReinstallIfForbidden = spec.UpdateStrategy == state.UpdateStrategyReinstallIfForbidden
	extra, err := v.recorder.ExtraOptions()
	if err != nil {
		return release.Desired{}, err
	}
	setUninstallOptions(&want.Options, st.HelmDefaults, spec, extra)
	return want, nil
}

func desiredStateOf(st *state.HelmState, selected state.Release) (release.DesiredState, error) {
	enabled, err := state.ConditionEnabled(selected.ReleaseSpec, st.Values())
	switch {
	case err != nil:
		return "", fmt.Errorf("release %s: condition: %w", selected.Name, err)
	case !enabled:
		return release.Disabled, nil
	case selected.Filtered:
		return release.Unselected, nil
	case !selected.Desired():
		return release.Absent, nil
	default:
		return release.Installed, nil
	}
}

// setUninstallOptions sets how the release is uninstalled. The extra options are those of the state's `args`: helmfile passes them to
// `helm uninstall` too, unlike `syncArgs`.
func setUninstallOptions(options *release.Options, defaults state.HelmSpec, spec state.ReleaseSpec, extra release.Options) {
	options.DisableHooks = options.DisableHooks || extra.DisableHooks
	options.DeleteWait = orDefault(spec.DeleteWait, defaults.DeleteWait) || extra.Wait
	seconds := orDefault(spec.DeleteTimeout, defaults.DeleteTimeout)
	options.DeleteTimeout = cmp.Or(extra.Timeout, time.Duration(seconds)*time.Second)
	options.Cascade = orDefault(spec.Cascade, orDefault(defaults.Cascade, ""))
}

// orDefault returns the value of a release, or the default if the release does not set it.
func orDefault[T any](value *T, defaultValue T) T {
	if value != nil {
		return *value
	}
	return defaultValue
}

// needs parses `needs:`, whose entries have the form "[[context/]namespace/]name".
func (v *visitor) needs(spec state.ReleaseSpec) []release.Key {
	var keys []release.Key
	for _, need := range spec.Needs {
		parts := strings.Split(need, "/")
		namespace := spec.Namespace
		if len(parts) > 1 {
			namespace = parts[len(parts)-2]
		}
		keys = append(keys, v.recorder.Key(namespace, parts[len(parts)-1]))
	}
	return keys
}

// unique returns one entry for each release. An entry that is disabled or not selected is dropped if there is another one, because
// helmfile allows such alternatives. Two other entries are an error.
func unique(all []release.Desired) ([]release.Desired, error) {
	index := map[release.Key]int{}
	var result []release.Desired
	var errs []error
	for _, want := range all {
		at, seen := index[want.Key]
		switch {
		case !seen:
			index[want.Key] = len(result)
			result = append(result, want)
		case isLeftAlone(want):
		case isLeftAlone(result[at]):
			result[at] = want
		default:
			errs = append(errs, fmt.Errorf("release %s is declared twice: %s", want.Key, inFiles(result[at].File, want.File)))
		}
	}
	slices.SortFunc(result, func(a, b release.Desired) int { return a.Key.Compare(b.Key) })
	return result, errors.Join(errs...)
}

func inFiles(one, other string) string {
	if one == other {
		return "both times in " + one
	}
	return "in " + one + " and in " + other
}

// isLeftAlone says whether the agent leaves the release as it is: its condition is false, or no selector matches it.
func isLeftAlone(want release.Desired) bool {
	return want.State == release.Disabled || want.State == release.Unselected
}
