package settings

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// variablePrefix is the beginning of the names of all environment variables.
const variablePrefix = "HELMFILE_AGENT_"

// Kind is the type of a setting's value. It is the word that --help shows for it.
type Kind string

// The kinds of settings.
const (
	Text     Kind = "text"
	Number   Kind = "number"
	Duration Kind = "duration"
	Toggle   Kind = "bool" // pflag knows this word and shows no type for it in --help
	List     Kind = "list"
)

// Setting describes one setting. Flags, variables, the schema of the file and the documentation derive from it.
type Setting struct {
	Name            string // the key in the file; see Flag and Variable
	Kind            Kind
	Default         string   // as a user would write it
	DefaultInWords  string   // the default, if no value can express it
	Commands        []string // the commands that use it; empty means all
	OnlyForCommands bool     // other commands refuse it, see RefusedBy
	CommaSeparated  bool     // for a list whose items contain no commas: in the environment, commas separate them as line breaks do
	Secret          bool     // is never shown, and has no flag, because `ps` shows flags
	NotInFile       bool
	Usage           string
}

// Table lists settings, in the order of the documentation.
type Table []Setting

// Entry is a setting with the values that one source gives.
type Entry struct {
	Setting
	Values []string
	Source Source
}

// Source says where an entry comes from. An entry with a higher rank replaces one with a lower rank.
type Source struct {
	Rank Rank
	Text string // for messages
}

// Rank is the priority of a source.
type Rank int

// The sources, from the lowest priority to the highest.
const (
	DefaultRank Rank = iota
	FileRank
	EnvironmentRank
	FlagRank
)

// Flag is the flag with its dashes.
func (s Setting) Flag() string { return "--" + s.flagName() }

func (s Setting) flagName() string { return strings.ToLower(strings.Join(splitWords(s.Name), "-")) }

// Variable is the name of the environment variable.
func (s Setting) Variable() string {
	return variablePrefix + strings.ToUpper(strings.Join(splitWords(s.Name), "_"))
}

// IsVariable says whether an environment variable is one of the agent's.
func IsVariable(name string) bool { return strings.HasPrefix(name, variablePrefix) }

// UsedBy says whether a command uses the setting.
func (s Setting) UsedBy(command string) bool {
	return len(s.Commands) == 0 || slices.Contains(s.Commands, command)
}

// RefusedBy says whether it is an error to give the setting to a command. A setting that changes what a command does, such as yes or
// selector, is an error for a command that would ignore it. All other settings describe the installation: one file serves all
// commands, and a command ignores what it does not use.
func (s Setting) RefusedBy(command string) bool { return s.OnlyForCommands && !s.UsedBy(command) }

// HasNoEffect says that the value is empty or false. All settings with OnlyForCommands have this default.
func (e Entry) HasNoEffect() bool {
	if e.Kind == Toggle {
		on, err := strconv.ParseBool(e.Values[0])
		return err == nil && !on
	}
	return strings.Join(e.Values, "") == ""
}

// Defaults lists the defaults as entries.
func (t Table) Defaults() []Entry {
	var entries []Entry
	for _, s := range t {
		if s.Default != "" {
			entries = append(entries, Entry{s, []string{s.Default}, Source{DefaultRank, "default of " + s.Name}})
		}
	}
	return entries
}

// find returns the first setting for which match is true.
func (t Table) find(match func(Setting) bool) (Setting, bool) {
	i := slices.IndexFunc(t, match)
	if i < 0 {
		return Setting{}, false
	}
	return t[i], true
}

// splitWords splits a camelCase name into words. A sequence of capitals is one word: gitSSHKeyFile is git, SSH, Key, File.
func splitWords(name string) []string {
	var parts []string
	letters := []rune(name)
	start := 0
	for i := 1; i < len(letters); i++ {
		if !unicode.IsUpper(letters[i]) {
			continue
		}
		endsRun := i+1 < len(letters) && unicode.IsLower(letters[i+1])
		if unicode.IsLower(letters[i-1]) || endsRun {
			parts = append(parts, string(letters[start:i]))
			start = i
		}
	}
	return append(parts, string(letters[start:]))
}
