package config

import (
	"strings"

	"github.com/spf13/pflag"
)

// Flags registers the flags of a command. They accept any text: [Load] says what is wrong with it, together with what is
// wrong elsewhere.
func Flags(fs *pflag.FlagSet, command string) {
	for _, k := range keys {
		if k.secret || !k.appliesTo(command) {
			continue
		}
		f := fs.VarPF(&flagValue{key: k}, k.flagName(), "", k.help())
		if k.kind == toggle {
			f.NoOptDefVal = "true"
		}
	}
}

func (k key) help() string {
	if k.kind == list {
		return k.usage + " (repeatable)"
	}
	return k.usage
}

// flagValue keeps a flag's values as they were typed.
type flagValue struct {
	key
	values []string
}

func (v *flagValue) Type() string { return string(v.kind) }

// String is also how pflag learns the default that --help shows.
func (v *flagValue) String() string {
	if v.values == nil {
		return v.fallback
	}
	return strings.Join(v.values, ",")
}

func (v *flagValue) Set(value string) error {
	if v.kind != list {
		v.values = nil
	}
	v.values = append(v.values, value)
	return nil
}

// fromFlags are the settings that were given as flags.
func fromFlags(fs *pflag.FlagSet) []setting {
	var given []setting
	if fs == nil {
		return nil
	}
	fs.Visit(func(f *pflag.Flag) {
		if v, ours := f.Value.(*flagValue); ours {
			given = append(given, setting{v.key, v.values, origin{flagRank, "flag " + v.flag()}})
		}
	})
	return given
}
