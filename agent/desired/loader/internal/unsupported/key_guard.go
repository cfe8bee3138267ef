package unsupported

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/helmfile/helmfile/pkg/state"

	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/parts"
)

var binaryKey = regexp.MustCompile(`(?m)^(helmBinary|kustomizeBinary)[ \t]*:`)

// checkBinaries refuses a state file that names a binary: helmfile would run it before the agent sees the state. This check is only for
// the message, because the kernel refuses to execute the binary.
func checkBinaries(path, content string) error {
	at := binaryKey.FindStringSubmatchIndex(content)
	if at == nil || !isState(content) {
		return nil
	}
	return fmt.Errorf("%s:%d: %s is not supported: the agent has Helm and kustomize built in; remove the line",
		path, parts.LineAt(content, at[0]), content[at[2]:at[3]])
}

// topKey matches a key of the outermost map of a YAML file.
var topKey = regexp.MustCompile(`(?m)^([A-Za-z][\w.-]*)[ \t]*:`)

// stateKeys are the keys that a state file may have. helmfile refuses all others.
var stateKeys = yamlKeys(reflect.TypeFor[state.ReleaseSetSpec]())

// onlyInStates are the keys by which a file is recognized as a state file, even if it has unknown keys.
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

// isState says whether a file can be a state file. helmfile reads state files and values files with the same function.
func isState(content string) bool {
	known := true
	for _, key := range topKey.FindAllStringSubmatch(content, -1) {
		if onlyInStates[key[1]] {
			return true
		}
		known = known && stateKeys[key[1]]
	}
	return known
}
