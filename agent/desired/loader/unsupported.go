package loader

import (
	"fmt"
	"slices"

	"github.com/helmfile/helmfile/pkg/event"
	"github.com/helmfile/helmfile/pkg/state"
	"sigs.k8s.io/yaml"
)

// refuse lists everything a state asks for that cannot work in this process, so that it is said at once and before
// anything is changed. Silence would be worse: a hook may be a migration.
func refuse(st *state.HelmState, file, kubeContext string) []string {
	r := &refusals{file: file, kubeContext: kubeContext}
	r.state(st)
	for i := range st.Releases {
		r.release(&st.Releases[i])
	}
	return r.found
}

type refusals struct {
	file, kubeContext string
	found             []string
}

func (r *refusals) add(where, field, why string) {
	r.found = append(r.found, fmt.Sprintf("%s: %s: %s is not supported: %s", r.file, where, field, why))
}

const (
	noHooks     = "the agent runs no external commands; use a Helm hook in the chart"
	noRenderer  = "the agent runs no external commands; use jsonPatches or strategicMergePatches"
	helm4Only   = "it needs Helm 4 and the agent contains Helm 3"
	noAdopt     = "it needs the helm-x plugin; use takeOwnership"
	noKubedog   = "use wait: true"
	noVerify    = "a chart that is patched is pulled without its provenance; drop verify or the patches"
	noManaged   = "it needs a command line of its own; use oci: true with username and password"
	noCommands  = "the agent runs no external commands; use a file or a secret store, such as ref+sops:// or ref+vault://"
	oneIdentity = "the agent works in one cluster only; remove it"
)

func (r *refusals) state(st *state.HelmState) {
	d := &st.HelmDefaults
	r.hooks("hooks", "state", st.Hooks)
	r.context("state", "kubeContext", st.OverrideKubeContext)
	r.context("helmDefaults", "kubeContext", d.KubeContext)
	r.context("environment "+st.Env.Name, "kubeContext", st.Environments[st.Env.Name].KubeContext)
	r.when(d.PostRenderer != nil && *d.PostRenderer != "", "helmDefaults", "postRenderer", noRenderer)
	r.when(d.ForceConflicts, "helmDefaults", "forceConflicts", helm4Only)
	r.when(d.RollbackOnFailure, "helmDefaults", "rollbackOnFailure", helm4Only+"; use atomic")
	r.when(d.ServerSide != nil, "helmDefaults", "serverSide", helm4Only)
	r.trackMode("helmDefaults", d.TrackMode)
	if encrypted(st.Env.Values) || encrypted(st.Env.Defaults) {
		r.found = append(r.found, fmt.Sprintf("%s: environment %s: a file of its values %s", r.file, st.Env.Name, nameAsSecret))
	}
	for _, repository := range st.Repositories {
		r.when(repository.Managed != "", "repository "+repository.Name, "managed: "+repository.Managed, noManaged)
	}
}

func (r *refusals) release(spec *state.ReleaseSpec) {
	where := "release " + spec.Name
	r.hooks("hooks", where, spec.Hooks)
	r.context(where, "kubeContext", spec.KubeContext)
	r.when(spec.PostRenderer != nil && *spec.PostRenderer != "", where, "postRenderer", noRenderer)
	r.when(isTrue(spec.ForceConflicts), where, "forceConflicts", helm4Only)
	r.when(isTrue(spec.RollbackOnFailure), where, "rollbackOnFailure", helm4Only+"; use atomic")
	r.when(spec.ServerSide != nil, where, "serverSide", helm4Only)
	r.when(len(spec.Adopt) > 0, where, "adopt", noAdopt)
	r.when(isTrue(spec.Verify) && patched(*spec), where, "verify with patches", noVerify)
	r.trackMode(where, spec.TrackMode)
	r.commands(where, spec)
}

// commands sees the references that a template has put together, which those who read the files cannot.
func (r *refusals) commands(where string, spec *state.ReleaseSpec) {
	for field, values := range map[string]any{"values": spec.Values, "secrets": spec.Secrets, "set": spec.SetValues} {
		text, err := yaml.Marshal(values)
		r.when(err == nil && execReference.Match(text), where, "ref+exec:// in "+field, noCommands)
	}
}

func (r *refusals) when(asked bool, where, field, why string) {
	if asked {
		r.add(where, field, why)
	}
}

func (r *refusals) hooks(field, where string, hooks []event.Hook) {
	for _, hook := range hooks {
		r.add(where, fmt.Sprintf("%s (%s on %v)", field, hook.Name, hook.Events), noHooks)
	}
}

func (r *refusals) context(where, field, value string) {
	if value != "" && value != r.kubeContext {
		r.add(where, field+": "+value, oneIdentity)
	}
}

func (r *refusals) trackMode(where, mode string) {
	if !slices.Contains([]string{"", "helm"}, mode) {
		r.add(where, "trackMode: "+mode, noKubedog)
	}
}

func isTrue(b *bool) bool { return b != nil && *b }
