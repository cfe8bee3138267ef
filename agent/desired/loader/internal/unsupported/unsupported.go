package unsupported

import (
	"fmt"
	"slices"

	"github.com/helmfile/helmfile/pkg/event"
	"github.com/helmfile/helmfile/pkg/state"
	"sigs.k8s.io/yaml"
)

// InFile refuses a file before helmfile reads it, if it names a binary or runs a command. The message has the line.
func InFile(path, content string) error {
	if err := checkBinaries(path, content); err != nil {
		return err
	}
	return checkCommands(path, content)
}

// InState returns a message for each setting of a state that the agent does not support. The agent does not ignore such a setting: a hook,
// for example, may be a migration. kubeContext is the only context that the state may name.
func InState(st *state.HelmState, file, kubeContext string) []string {
	c := &stateCheck{file: file, kubeContext: kubeContext}
	c.state(st)
	for i := range st.Releases {
		c.release(&st.Releases[i])
	}
	return c.messages
}

// PatchesChart says whether helmfile changes the chart of a release, and so needs its files.
func PatchesChart(spec state.ReleaseSpec) bool {
	return len(spec.JSONPatches)+len(spec.StrategicMergePatches)+len(spec.Transformers)+len(spec.Dependencies) > 0 ||
		spec.ForceNamespace != ""
}

// stateCheck collects messages about one state.
type stateCheck struct {
	file, kubeContext string
	messages          []string
}

const (
	noHooks        = "the agent runs no external commands; use a Helm hook in the chart"
	noPostRenderer = "the agent runs no external commands; use jsonPatches or strategicMergePatches"
	helm4Only      = "it needs Helm 4 and the agent contains Helm 3"
	helm4OrAtomic  = helm4Only + "; use atomic"
	noAdopt        = "it needs the helm-x plugin; use takeOwnership"
	noTracking     = "use wait: true"
	noVerify       = "helmfile patches the chart, and a patched chart cannot be verified; remove verify or the patches"
	noManaged      = "it needs an external command; use oci: true with username and password"
	oneCluster     = "the agent works in one cluster only; remove it"
)

func (c *stateCheck) state(st *state.HelmState) {
	defaults := &st.HelmDefaults
	c.hooks("state", st.Hooks)
	c.context("state", st.OverrideKubeContext)
	c.context("helmDefaults", defaults.KubeContext)
	c.context("environment "+st.Env.Name, st.Environments[st.Env.Name].KubeContext)
	c.refuseIf(isSet(defaults.PostRenderer), "helmDefaults", "postRenderer", noPostRenderer)
	c.refuseIf(defaults.ForceConflicts, "helmDefaults", "forceConflicts", helm4Only)
	c.refuseIf(defaults.RollbackOnFailure, "helmDefaults", "rollbackOnFailure", helm4OrAtomic)
	c.refuseIf(defaults.ServerSide != nil, "helmDefaults", "serverSide", helm4Only)
	c.trackMode("helmDefaults", defaults.TrackMode)
	if isEncrypted(st.Env.Values) || isEncrypted(st.Env.Defaults) {
		c.messages = append(c.messages, fmt.Sprintf("%s: environment %s: a file of its values %s", c.file, st.Env.Name, stillEncrypted))
	}
	for _, repository := range st.Repositories {
		c.refuseIf(repository.Managed != "", "repository "+repository.Name, "managed: "+repository.Managed, noManaged)
	}
}

func (c *stateCheck) release(spec *state.ReleaseSpec) {
	where := "release " + spec.Name
	c.hooks(where, spec.Hooks)
	c.context(where, spec.KubeContext)
	c.refuseIf(isSet(spec.PostRenderer), where, "postRenderer", noPostRenderer)
	c.refuseIf(isTrue(spec.ForceConflicts), where, "forceConflicts", helm4Only)
	c.refuseIf(isTrue(spec.RollbackOnFailure), where, "rollbackOnFailure", helm4OrAtomic)
	c.refuseIf(spec.ServerSide != nil, where, "serverSide", helm4Only)
	c.refuseIf(len(spec.Adopt) > 0, where, "adopt", noAdopt)
	c.refuseIf(isTrue(spec.Verify) && PatchesChart(*spec), where, "verify with patches", noVerify)
	c.trackMode(where, spec.TrackMode)
	c.execReferences(where, spec)
}

// execReferences finds references to commands that a template has put together, which InFile cannot find.
func (c *stateCheck) execReferences(where string, spec *state.ReleaseSpec) {
	for _, field := range []struct {
		name    string
		content any
	}{{"values", spec.Values}, {"secrets", spec.Secrets}, {"set", spec.SetValues}, {"setString", spec.SetStringValues}} {
		text, err := yaml.Marshal(field.content)
		c.refuseIf(err == nil && execReference.Match(text), where, "ref+exec:// in "+field.name, noCommands)
	}
}

func (c *stateCheck) hooks(where string, hooks []event.Hook) {
	for _, hook := range hooks {
		c.refuse(where, fmt.Sprintf("hooks (%s on %v)", hook.Name, hook.Events), noHooks)
	}
}

func (c *stateCheck) context(where, context string) {
	c.refuseIf(context != "" && context != c.kubeContext, where, "kubeContext: "+context, oneCluster)
}

func (c *stateCheck) trackMode(where, mode string) {
	c.refuseIf(!slices.Contains([]string{"", "helm"}, mode), where, "trackMode: "+mode, noTracking)
}

func (c *stateCheck) refuseIf(condition bool, where, field, reason string) {
	if condition {
		c.refuse(where, field, reason)
	}
}

func (c *stateCheck) refuse(where, field, reason string) {
	c.messages = append(c.messages, fmt.Sprintf("%s: %s: %s is not supported: %s", c.file, where, field, reason))
}

func isTrue(b *bool) bool { return b != nil && *b }

func isSet(s *string) bool { return s != nil && *s != "" }
