package loader

import (
	"crypto/md5" //nolint:gosec // vals names its providers by it
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/helmfile/vals/pkg/api"
	"github.com/helmfile/vals/pkg/config"
	"github.com/helmfile/vals/pkg/providers/file"
)

// fileReference is vals's provider of ref+file://, but reads files of the repository only. helmfile reads a nested state file in its
// own working directory, so a relative path can be judged only when it is about to be read.
type fileReference struct {
	api.Provider
	check func(path string) error
}

func (f fileReference) GetString(key string) (string, error) {
	if err := f.check(key); err != nil {
		return "", err
	}
	return f.Provider.GetString(key)
}

func (f fileReference) GetStringMap(key string) (map[string]any, error) {
	if err := f.check(key); err != nil {
		return nil, err
	}
	return f.Provider.GetStringMap(key)
}

// fileParameters are the parameters that a ref+file:// may have, as url.Values encodes them.
var fileParameters = []string{"", "encode=base64", "encode=raw"}

// guardFiles puts fileReference in the place of vals's own provider. vals looks for a provider by a digest of the scheme and the
// parameters before it makes one, and lets nothing else replace this one.
func (r *references) guardFiles(check func(path string) error) error {
	for _, parameters := range fileParameters {
		conf := map[string]any{}
		query, err := url.ParseQuery(parameters)
		if err != nil {
			return err
		}
		for name := range query {
			conf[name] = query.Get(name)
		}
		id := fmt.Sprintf("%x", md5.Sum([]byte("file"+parameters))) //nolint:gosec // no secret depends on it
		r.providers[id] = fileReference{file.New(config.MapConfig{M: conf}), check}
	}
	return nil
}

var errFileParameters = errors.New("ref+file:// has a parameter that is not supported: only encode=base64 and encode=raw are")

// unguardedFile is the error for a reference that has passed by guardFiles, because it has other parameters.
func (r *references) unguardedFile() error {
	for _, key := range slices.Concat(r.strings.Keys(), r.documents.Keys()) {
		text, _ := key.(string)
		at, err := url.Parse(text)
		if scheme(key) == "file" && (err != nil || !slices.Contains(fileParameters, at.Query().Encode())) {
			return errFileParameters
		}
	}
	return nil
}
