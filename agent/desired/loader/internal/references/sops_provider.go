package references

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/helmfile/vals/pkg/api"
	"github.com/helmfile/vals/pkg/config"
	"github.com/helmfile/vals/pkg/log"
	"github.com/helmfile/vals/pkg/providers/registry"
	"gopkg.in/yaml.v3"

	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/decryption"
)

// ReplaceProviders replaces the providers of vals that cannot work in this process, or that would read files outside of the repository.
func ReplaceProviders(decrypter *decryption.Decrypter, checkFile func(path string) error) {
	registry.RegisterProvider("k8s", func(*log.Logger, config.MapConfig, string) (api.Provider, error) {
		return nil, errNoKubernetes
	})
	registry.RegisterProvider("sops", func(_ *log.Logger, conf config.MapConfig, _ string) (api.Provider, error) {
		return sopsProvider{conf, decrypter}, nil
	})
	guardStores(checkFile)
}

var errNoKubernetes = errors.New("ref+k8s:// is not supported: the helmfile is loaded without access to the cluster; use lookup in a chart")

// sopsProvider resolves ref+sops:// as vals does, but the agent decrypts.
type sopsProvider struct {
	conf      config.MapConfig
	decrypter *decryption.Decrypter
}

// GetString implements api.Provider.
func (p sopsProvider) GetString(key string) (string, error) {
	plain, err := p.decrypt(key, "")
	if err != nil {
		return "", err
	}
	if p.conf.String("encode") == "base64" {
		return base64.StdEncoding.EncodeToString(plain), nil
	}
	return string(plain), nil
}

// GetStringMap implements api.Provider.
func (p sopsProvider) GetStringMap(key string) (map[string]any, error) {
	plain, err := p.decrypt(key, "yaml")
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(plain, &values); err != nil {
		return nil, fmt.Errorf("ref+sops://%s: %w", key, err)
	}
	return values, nil
}

// decrypt returns the plaintext of a reference, which contains the name of a file or, in base64, the encrypted content.
func (p sopsProvider) decrypt(key, format string) ([]byte, error) {
	if configured := p.conf.String("format"); configured != "" {
		format = configured
	}
	if p.conf.String("key_type") != "base64" {
		return p.decrypter.File(key, format)
	}
	encrypted, err := base64.URLEncoding.DecodeString(key)
	if err != nil {
		err = fmt.Errorf("ref+sops:// with key_type=base64: %w", err)
		p.decrypter.AddFailure(err.Error())
		return nil, err
	}
	return p.decrypter.Content("the content of ref+sops", format, encrypted)
}
