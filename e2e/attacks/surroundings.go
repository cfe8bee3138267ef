package attacks

import (
	"path"
	"strings"
)

// Surroundings has the paths and the listener that an attack can name by placeholders.
type Surroundings struct {
	Outside    string    // the path at which the agent sees the directory of that name
	TokenFile  string    // a token that the agent can read
	Keys       string    // the directory of keys for sops
	Kubeconfig string    // the agent's, if it has one
	Namespace  string    // of the agent
	Listener   *Listener // nil while it is being created
}

// KeyFile is the key in the directory of keys.
const KeyFile = "canary.agekey"

// KubeconfigPlaceholder stands for the agent's kubeconfig.
const KubeconfigPlaceholder = "@KUBECONFIG@"

// Words replaces the placeholders of attack.yaml and of the files in the repository.
func (s Surroundings) Words() *strings.Replacer {
	pairs := []string{
		"@CANARY_FILE@", path.Join(s.Outside, "canary.yaml"),
		"@OUTSIDE@", s.Outside,
		"@MARKERS@", path.Join(s.Outside, "markers"),
		"@TOKEN_FILE@", s.TokenFile,
		"@KEY_DIR@", s.Keys,
		"@KEY_FILE@", path.Join(s.Keys, KeyFile),
		KubeconfigPlaceholder, s.Kubeconfig,
		"@NAMESPACE@", s.Namespace,
		"@UP@", strings.TrimSuffix(strings.Repeat("../", 24), "/"), // leads to the root directory from every directory
	}
	if s.Listener != nil {
		pairs = append(pairs, "@HTTP@", s.Listener.URL, "@HOST@", strings.TrimPrefix(s.Listener.URL, "http://"))
	}
	return strings.NewReplacer(pairs...)
}
