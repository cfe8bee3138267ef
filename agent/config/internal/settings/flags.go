package settings

import (
	"strings"

	"github.com/spf13/pflag"
)

// AddFlags registers the flags of a command. They accept any text, so that mistakes in flags are reported together with all others.
func (t Table) AddFlags(fs *pflag.FlagSet, command string) {
	for _, s := range t {
		if s.Secret || !s.UsedBy(command) {
			continue
		}
		f := fs.VarPF(&flagValue{setting: s}, s.flagName(), "", s.help())
		if s.Kind == Toggle {
			f.NoOptDefVal = "true"
		}
	}
}

func (s Setting) help() string {
	if s.Kind == List {
		return s.Usage + " (repeatable)"
	}
	return s.Usage
}

// flagValue has the values of a flag as they were typed.
type flagValue struct {
	setting Setting
	values  []string
}

// Type implements pflag.Value.
func (v *flagValue) Type() string { return string(v.setting.Kind) }

// String implements pflag.Value. pflag shows its first result as the default in --help.
func (v *flagValue) String() string {
	if v.values == nil {
		return v.setting.Default
	}
	return strings.Join(v.values, ",")
}

// Set implements pflag.Value.
func (v *flagValue) Set(value string) error {
	if v.setting.Kind != List {
		v.values = nil
	}
	v.values = append(v.values, value)
	return nil
}

// FromFlags reads the flags that [Table.AddFlags] registered and the user gave.
func FromFlags(fs *pflag.FlagSet) []Entry {
	if fs == nil {
		return nil
	}
	var entries []Entry
	fs.Visit(func(f *pflag.Flag) {
		if v, ours := f.Value.(*flagValue); ours {
			entries = append(entries, Entry{v.setting, v.values, Source{FlagRank, "flag " + v.setting.Flag()}})
		}
	})
	return entries
}
