package desired

import (
	"encoding/base64"
	"fmt"
	"os"

	"github.com/helmfile/vals/pkg/api"
	"github.com/helmfile/vals/pkg/config"
	"github.com/helmfile/vals/pkg/log"
	"github.com/helmfile/vals/pkg/providers/registry"
	"gopkg.in/yaml.v3"

	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

// decryptReferences gives ref+sops:// the keys that are hidden from the environment, where vals's own provider looks.
func decryptReferences() {
	original, ok := registry.GetProvider("sops")
	if !ok {
		return // not compiled in
	}
	registry.RegisterProvider("sops", func(l *log.Logger, conf config.MapConfig, level string) (api.Provider, error) {
		theirs, err := original(l, conf, level)
		return sops{theirs, conf}, err
	})
}

// sops is vals's provider of the name with the hidden keys tried first. What else vals offers, such as an AWS role for
// KMS, stays with the original.
type sops struct {
	original api.Provider
	conf     config.MapConfig
}

func (s sops) GetString(key string) (string, error) {
	plain, err := s.decrypt(key, "")
	if err != nil {
		return insteadAsk(s.original.GetString, key, err)
	}
	if s.conf.String("encode") == "base64" {
		return base64.StdEncoding.EncodeToString(plain), nil
	}
	return string(plain), nil
}

func (s sops) GetStringMap(key string) (map[string]any, error) {
	plain, err := s.decrypt(key, "yaml")
	if err != nil {
		return insteadAsk(s.original.GetStringMap, key, err)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(plain, &values); err != nil {
		return nil, fmt.Errorf("ref+sops://%s: %w", key, err)
	}
	return values, nil
}

// decrypt reads what the reference names: a file, or the encrypted content itself.
func (s sops) decrypt(key, format string) ([]byte, error) {
	if own := s.conf.String("format"); own != "" {
		format = own
	}
	if s.conf.String("key_type") != "base64" {
		encrypted, err := os.ReadFile(key)
		if err != nil {
			return nil, err
		}
		return secrets.Decrypt(key, encrypted, format)
	}
	encrypted, err := base64.URLEncoding.DecodeString(key)
	if err != nil {
		return nil, err
	}
	return secrets.Decrypt("ref+sops", encrypted, format)
}

// insteadAsk falls back to the original. If that fails too, the reason is ours: the original knows fewer keys.
func insteadAsk[T any](original func(string) (T, error), key string, reason error) (T, error) {
	value, err := original(key)
	if err != nil {
		return value, reason
	}
	return value, nil
}
