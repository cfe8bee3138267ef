package loader

import (
	"encoding/base64"
	"fmt"
	"os"
	"sync"

	"github.com/helmfile/vals/pkg/api"
	"github.com/helmfile/vals/pkg/config"
	"github.com/helmfile/vals/pkg/log"
	"github.com/helmfile/vals/pkg/providers/registry"
	"gopkg.in/yaml.v3"
)

// valsSops is vals's own provider of the name; nil if it is not compiled in.
var valsSops = sync.OnceValue(func() registry.ProviderFactory {
	original, _ := registry.GetProvider("sops")
	return original
})

// decryptReferences has ref+sops:// use the keys at hand, of which vals knows nothing.
func (l *loader) decryptReferences() {
	original := valsSops()
	if original == nil {
		return
	}
	registry.RegisterProvider("sops", func(log *log.Logger, conf config.MapConfig, level string) (api.Provider, error) {
		theirs, err := original(log, conf, level)
		return sops{theirs, conf, l.engine}, err
	})
}

// sops is vals's provider of the name with the keys at hand. How vals chooses an AWS role, profile or region stays with the
// original.
type sops struct {
	original api.Provider
	conf     config.MapConfig
	engine   *engine
}

func (s sops) GetString(key string) (string, error) {
	plain, err := s.decrypt(key, "")
	if err != nil {
		return orAsk(s, s.original.GetString, key, err)
	}
	if s.conf.String("encode") == "base64" {
		return base64.StdEncoding.EncodeToString(plain), nil
	}
	return string(plain), nil
}

func (s sops) GetStringMap(key string) (map[string]any, error) {
	plain, err := s.decrypt(key, "yaml")
	if err != nil {
		return orAsk(s, s.original.GetStringMap, key, err)
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
	encrypted, name, err := []byte(nil), key, error(nil)
	if s.conf.String("key_type") == "base64" {
		name = "the content of ref+sops"
		encrypted, err = base64.URLEncoding.DecodeString(key)
	} else {
		encrypted, err = os.ReadFile(key)
	}
	if err != nil {
		return nil, err
	}
	plain, err := s.engine.req.Keys.Decrypt(name, encrypted, format)
	if err == nil {
		s.engine.learnPlain(plain)
	}
	return plain, err
}

// orAsk asks the original for what only it can do. What nobody can decrypt is noted with our reason, which says more.
func orAsk[T any](s sops, original func(string) (T, error), key string, reason error) (value T, err error) {
	if s.conf.String("role_arn")+s.conf.String("profile")+s.conf.String("region") != "" {
		if value, err = original(key); err == nil {
			return value, nil
		}
	}
	s.engine.unreadable(reason.Error())
	return value, reason
}
