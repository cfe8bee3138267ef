package loader

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/helmfile/helmfile/pkg/state"
)

// topKey is a key of the outermost map of a YAML file.
var topKey = regexp.MustCompile(`(?m)^([A-Za-z][\w.-]*)[ \t]*:`)

// stateKeys are the keys that a state file may have; helmfile refuses others.
var stateKeys = yamlKeys(reflect.TypeFor[state.ReleaseSetSpec]())

// onlyInStates are keys that make a file a state file, whatever else is in it.
var onlyInStates = map[string]bool{"releases": true, "helmfiles": true, "bases": true, "environments": true, "repositories": true, "helmDefaults": true}

func yamlKeys(of reflect.Type) map[string]bool {
	keys := map[string]bool{}
	for i := range of.NumField() {
		if name, _, _ := strings.Cut(of.Field(i).Tag.Get("yaml"), ","); name != "" && name != "-" {
			keys[name] = true
		}
	}
	return keys
}

// isState says whether a file can be a state file: helmfile reads states and values in the same way. It matters for a message only.
func isState(content []byte) bool {
	known := true
	for _, key := range topKey.FindAllSubmatch(content, -1) {
		if onlyInStates[string(key[1])] {
			return true
		}
		known = known && stateKeys[string(key[1])]
	}
	return known
}
