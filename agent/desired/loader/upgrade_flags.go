package loader

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"helm.sh/helm/v3/pkg/cli/values"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// upgradeFlags are the flags of `helm upgrade --install` as far as they can be honoured here. The names, types and
// meanings are Helm's; a flag that is not among them is refused rather than ignored.
type upgradeFlags struct {
	*pflag.FlagSet
	namespace string
	chart     release.Chart
	options   release.Options
	values    values.Options
	reset     bool // --reset-values
}

func newUpgradeFlags() *upgradeFlags {
	f := &upgradeFlags{FlagSet: pflag.NewFlagSet("helm upgrade", pflag.ContinueOnError)}
	f.SetInterspersed(true)
	f.Usage = func() {}
	f.StringVarP(&f.namespace, "namespace", "n", "", "")
	f.chartFlags()
	f.valueFlags()
	f.optionFlags()
	f.ignoredFlags()
	return f
}

func (f *upgradeFlags) chartFlags() {
	c := &f.chart
	f.StringVar(&c.Version, "version", "", "")
	f.BoolVar(&c.Devel, "devel", false, "")
	f.BoolVar(&c.Verify, "verify", false, "")
	f.StringVar(&c.Keyring, "keyring", "", "")
	f.BoolVar(&c.PlainHTTP, "plain-http", false, "")
	f.BoolVar(&c.InsecureSkipTLSVerify, "insecure-skip-tls-verify", false, "")
}

func (f *upgradeFlags) valueFlags() {
	v := &f.values
	f.BoolVar(&f.reset, "reset-values", false, "")
	f.StringArrayVarP(&v.ValueFiles, "values", "f", nil, "")
	f.StringArrayVar(&v.Values, "set", nil, "")
	f.StringArrayVar(&v.StringValues, "set-string", nil, "")
	f.StringArrayVar(&v.FileValues, "set-file", nil, "")
	f.StringArrayVar(&v.JSONValues, "set-json", nil, "")
	f.StringArrayVar(&v.LiteralValues, "set-literal", nil, "")
}

func (f *upgradeFlags) optionFlags() {
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

// ignoredFlags change nothing here: they say what the agent does anyway, or how a command line prints.
func (f *upgradeFlags) ignoredFlags() {
	for _, name := range []string{"install", "debug", "dependency-update", "hide-notes"} {
		f.Bool(name, false, "")
	}
	f.String("kube-context", "", "") // its value was checked on the state
	f.BoolP("i", "i", false, "")     // helm's short form of --install
}

// parseUpgrade reads what helmfile would have appended to `helm upgrade --install`.
func parseUpgrade(flags []string) (*upgradeFlags, error) {
	f := newUpgradeFlags()
	if err := f.Parse(flags); err != nil {
		return nil, fmt.Errorf("%w: the agent does not support this helm flag; remove it from args or syncArgs", err)
	}
	if f.reset { // wins in Helm, whatever else is said
		f.options.ReuseValues, f.options.ResetThenReuseValues = false, false
	}
	return f, nil
}

// seconds is a helmfile timeout.
func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
