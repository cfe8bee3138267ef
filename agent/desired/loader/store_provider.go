package loader

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

// fileStores are vals's stores that read files which a reference names in its parameters. Not all of them are built in.
var fileStores = []string{"vault", "openbao", "googlesheets", "tfstate", "tfstateremote"}

// serviceAccountToken is the file that vals sends to Vault for the Kubernetes login method.
const serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// guardStores makes those stores read files of the repository only.
func guardStores(check func(path string) error) {
	for _, name := range fileStores {
		factory, known := registry.GetProvider(name)
		if !known {
			continue
		}
		registry.RegisterProvider(name, func(l *log.Logger, conf config.MapConfig, level string) (api.Provider, error) {
			store, err := factory(l, conf, level)
			return guardedStore{store, name, conf, check}, err
		})
	}
}

// guardedStore checks files each time before vals may read them, because a relative path depends on the working directory.
type guardedStore struct {
	api.Provider
	name  string
	conf  config.MapConfig
	check func(path string) error
}

func (s guardedStore) GetString(key string) (string, error) {
	if err := s.checkFiles(key); err != nil {
		return "", err
	}
	return s.Provider.GetString(key)
}

func (s guardedStore) GetStringMap(key string) (map[string]any, error) {
	if err := s.checkFiles(key); err != nil {
		return nil, err
	}
	return s.Provider.GetStringMap(key)
}

// checkFiles does not look at variables: the operator lets the helmfile have them.
func (s guardedStore) checkFiles(key string) error {
	for _, name := range slices.Sorted(maps.Keys(s.conf.M)) {
		file, _ := s.conf.M[name].(string)
		if !strings.HasSuffix(name, "_file") || file == "" {
			continue
		}
		if err := s.check(file); err != nil {
			return fmt.Errorf("ref+%s:// with %s: %w", s.name, name, err)
		}
	}
	if s.name == "tfstate" {
		file, _ := path.Split(key) // the last part is a resource's attribute
		return s.check(path.Clean(file))
	}
	if s.conf.M["auth_method"] == "kubernetes" && os.Getenv("VAULT_KUBERNETES_JWT_TOKEN_PATH") == "" {
		if err := s.check(serviceAccountToken); err != nil {
			return fmt.Errorf("ref+%s:// with auth_method=kubernetes: %w", s.name, err)
		}
	}
	return nil
}
