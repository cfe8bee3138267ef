package loader

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"

	"github.com/helmfile/vals/pkg/api"
	"github.com/helmfile/vals/pkg/config"
	"github.com/helmfile/vals/pkg/log"
	"github.com/helmfile/vals/pkg/providers/registry"
	"gopkg.in/yaml.v3"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
)

// replaceStores puts others in the place of vals's stores that cannot work in this process, or that would read files outside of the repository.
func (l *loader) replaceStores() {
	registry.RegisterProvider("k8s", func(*log.Logger, config.MapConfig, string) (api.Provider, error) {
		return nil, errNoKubernetes
	})
	registry.RegisterProvider("sops", func(_ *log.Logger, conf config.MapConfig, _ string) (api.Provider, error) {
		return sops{conf, l.engine}, nil
	})
	guardStores(l.req.checkFile)
}

var errNoKubernetes = errors.New("ref+k8s:// is not supported: the helmfile is loaded without access to the cluster; use lookup in a chart")

// sops is vals's provider of the name, but the agent decrypts.
type sops struct {
	conf   config.MapConfig
	engine *engine
}

func (s sops) GetString(key string) (string, error) {
	plain, err := s.decrypt(key, "")
	if err != nil {
		return "", s.failed(err)
	}
	if s.conf.String("encode") == "base64" {
		return base64.StdEncoding.EncodeToString(plain), nil
	}
	return string(plain), nil
}

func (s sops) GetStringMap(key string) (map[string]any, error) {
	plain, err := s.decrypt(key, "yaml")
	if err != nil {
		return nil, s.failed(err)
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
		if err = s.engine.req.checkFile(key); err == nil {
			encrypted, err = os.ReadFile(key)
		}
	}
	if err != nil {
		return nil, err
	}
	plain, err := s.engine.req.agent.Decrypt(s.engine.ctx, broker.Encrypted{Name: name, Format: format, Content: encrypted})
	if err == nil {
		s.engine.warnOfDisk()
	}
	return plain, err
}

// failed notes why a secret cannot be read: helmfile says less about it.
func (s sops) failed(err error) error {
	s.engine.unreadable(err.Error())
	return err
}
