package references

import (
	"crypto/md5" //nolint:gosec // vals identifies its providers with it
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/helmfile/vals/pkg/api"
	"github.com/helmfile/vals/pkg/config"
	"github.com/helmfile/vals/pkg/providers/file"
)

// fileProvider is vals's provider of ref+file://, but it reads files of the repository only. It checks a path when vals reads it,
// because helmfile changes the working directory for each nested state file.
type fileProvider struct {
	api.Provider
	checkFile func(path string) error
}

// GetString implements api.Provider.
func (p fileProvider) GetString(key string) (string, error) {
	if err := p.checkFile(key); err != nil {
		return "", err
	}
	return p.Provider.GetString(key)
}

// GetStringMap implements api.Provider.
func (p fileProvider) GetStringMap(key string) (map[string]any, error) {
	if err := p.checkFile(key); err != nil {
		return nil, err
	}
	return p.Provider.GetStringMap(key)
}

// fileParameters are the parameters that ref+file:// may have, as url.Values encodes them.
var fileParameters = []string{"", "encode=base64", "encode=raw"}

// GuardFiles puts fileProvider in the place of vals's own provider. vals does not allow other code to replace that provider, but it
// looks in its map of providers before it makes one. The key is a digest of the scheme and the parameters.
func (c *ValsCache) GuardFiles(checkFile func(path string) error) error {
	for _, parameters := range fileParameters {
		query, err := url.ParseQuery(parameters)
		if err != nil {
			return err
		}
		conf := map[string]any{}
		for name := range query {
			conf[name] = query.Get(name)
		}
		id := fmt.Sprintf("%x", md5.Sum([]byte("file"+parameters))) //nolint:gosec // it protects no secret
		c.providers[id] = fileProvider{file.New(config.MapConfig{M: conf}), checkFile}
	}
	return nil
}

var errFileParameters = errors.New("ref+file:// has a parameter that is not supported: only encode=base64 and encode=raw are")

// CheckFileParameters returns an error if vals has resolved a reference with other parameters. GuardFiles does not guard those.
func (c *ValsCache) CheckFileParameters() error {
	for _, key := range c.keys() {
		text, _ := key.(string)
		reference, err := url.Parse(text)
		if schemeOf(key) == "file" && (err != nil || !slices.Contains(fileParameters, reference.Query().Encode())) {
			return errFileParameters
		}
	}
	return nil
}
