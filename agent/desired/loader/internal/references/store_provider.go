package references

import (
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/helmfile/vals/pkg/api"
	"github.com/helmfile/vals/pkg/config"
	"github.com/helmfile/vals/pkg/log"
	"github.com/helmfile/vals/pkg/providers/registry"
)

// fileStores are the stores of vals that read files which the parameters of a reference name. The binary does not contain all of them.
var fileStores = []string{"vault", "openbao", "googlesheets", "tfstate", "tfstateremote"}

// serviceAccountToken is the file that vals sends to Vault for the login method kubernetes.
const serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// guardStores makes those stores read files of the repository only.
func guardStores(checkFile func(path string) error) {
	for _, name := range fileStores {
		newStore, known := registry.GetProvider(name)
		if !known {
			continue
		}
		registry.RegisterProvider(name, func(l *log.Logger, conf config.MapConfig, level string) (api.Provider, error) {
			store, err := newStore(l, conf, level)
			return guardedStore{store, name, conf, checkFile}, err
		})
	}
}

// guardedStore checks the files of a reference each time before vals may read them, because a relative path depends on the working
// directory.
type guardedStore struct {
	api.Provider
	name      string
	conf      config.MapConfig
	checkFile func(path string) error
}

// GetString implements api.Provider.
func (s guardedStore) GetString(key string) (string, error) {
	if err := s.check(key); err != nil {
		return "", err
	}
	return s.Provider.GetString(key)
}

// GetStringMap implements api.Provider.
func (s guardedStore) GetStringMap(key string) (map[string]any, error) {
	if err := s.check(key); err != nil {
		return nil, err
	}
	return s.Provider.GetStringMap(key)
}

// check does not check files that environment variables name: the operator has set those.
func (s guardedStore) check(key string) error {
	for _, name := range slices.Sorted(maps.Keys(s.conf.M)) {
		file, _ := s.conf.M[name].(string)
		if !strings.HasSuffix(name, "_file") || file == "" {
			continue
		}
		if err := s.checkFile(file); err != nil {
			return fmt.Errorf("ref+%s:// with %s: %w", s.name, name, err)
		}
	}
	if s.name == "tfstate" {
		file, _ := path.Split(key) // the last element is an attribute of a resource
		return s.checkFile(path.Clean(file))
	}
	if s.conf.M["auth_method"] == "kubernetes" && os.Getenv("VAULT_KUBERNETES_JWT_TOKEN_PATH") == "" {
		if err := s.checkFile(serviceAccountToken); err != nil {
			return fmt.Errorf("ref+%s:// with auth_method=kubernetes: %w", s.name, err)
		}
	}
	return nil
}
