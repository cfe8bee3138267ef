package recorder

import (
	"fmt"

	"github.com/spf13/pflag"
	"helm.sh/helm/v3/pkg/cli/values"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// upgradeFlags are the flags of `helm upgrade --install` that the agent supports. It refuses all other flags. Names, types and meanings
// are those of Helm.
type upgradeFlags struct {
	*pflag.FlagSet
	namespace   string
	chart       release.Chart
	options     release.Options
	values      values.Options
	resetValues bool
}

func newUpgradeFlags() *upgradeFlags {
	f := &upgradeFlags{FlagSet: pflag.NewFlagSet("helm upgrade", pflag.ContinueOnError)}
	f.SetInterspersed(true)
	f.Usage = func() {}
	f.StringVarP(&f.namespace, "namespace", "n", "", "")
	f.addChartFlags()
	f.addValuesFlags()
	f.addOptionFlags()
	f.addIgnoredFlags()
	return f
}

func (f *upgradeFlags) addChartFlags() {
	c := &f.chart
	f.StringVar(&c.Version, "version", "", "")
	f.BoolVar(&c.Devel, "devel", false, "")
	f.BoolVar(&c.Verify, "verify", false, "")
	f.StringVar(&c.Keyring, "keyring", "", "")
	f.BoolVar(&c.PlainHTTP, "plain-http", false, "")
	f.BoolVar(&c.InsecureSkipTLSVerify, "insecure-skip-tls-verify", false, "")
}

func (f *upgradeFlags) addValuesFlags() {
	v := &f.values
	f.BoolVar(&f.resetValues, "reset-values", false, "")
	f.StringArrayVarP(&v.ValueFiles, "values", "f", nil, "")
	f.StringArrayVar(&v.Values, "set", nil, "")
	f.StringArrayVar(&v.StringValues, "set-string", nil, "")
	f.StringArrayVar(&v.FileValues, "set-file", nil, "")
	f.StringArrayVar(&v.JSONValues, "set-json", nil, "")
	f.StringArrayVar(&v.LiteralValues, "set-literal", nil, "")
}

func (f *upgradeFlags) addOptionFlags() {
	o := &f.options
	for name, target := range map[string]*bool{
		"atomic":                     &o.Atomic,
		"cleanup-on-fail":            &o.CleanupOnFail,
		"create-namespace":           &o.CreateNamespace,
		"disable-openapi-validation": &o.DisableOpenAPIValidation,
		"enable-dns":                 &o.EnableDNS,
		"force":                      &o.Force,
		"no-hooks":                   &o.DisableHooks,
		"recreate-pods":              &o.RecreatePods,
		"render-subchart-notes":      &o.SubNotes,
		"reset-then-reuse-values":    &o.ResetThenReuseValues,
		"reuse-values":               &o.ReuseValues,
		"skip-crds":                  &o.SkipCRDs,
		"skip-schema-validation":     &o.SkipSchemaValidation,
		"take-ownership":             &o.TakeOwnership,
		"wait":                       &o.Wait,
		"wait-for-jobs":              &o.WaitForJobs,
	} {
		f.BoolVar(target, name, false, "")
	}
	f.StringVar(&o.Description, "description", "", "")
	f.StringToStringVarP(&o.Labels, "labels", "l", nil, "")
	f.DurationVar(&o.Timeout, "timeout", 0, "")
	f.IntVar(&o.HistoryMax, "history-max", 0, "")
}

// addIgnoredFlags adds flags without effect: the agent does the same without them, or they only change how Helm prints.
func (f *upgradeFlags) addIgnoredFlags() {
	for _, name := range []string{"install", "debug", "dependency-update", "hide-notes"} {
		f.Bool(name, false, "")
	}
	f.String("kube-context", "", "") // the context of the state was already checked
	f.BoolP("i", "i", false, "")     // short for --install
}

// parseUpgradeFlags parses what helmfile appends to `helm upgrade --install`.
func parseUpgradeFlags(flags []string) (*upgradeFlags, error) {
	f := newUpgradeFlags()
	if err := f.Parse(flags); err != nil {
		return nil, fmt.Errorf("%w: the agent does not support this helm flag; remove it from args or syncArgs", err)
	}
	if f.resetValues { // in Helm, --reset-values overrides the other two
		f.options.ReuseValues, f.options.ResetThenReuseValues = false, false
	}
	return f, nil
}
