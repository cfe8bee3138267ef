package loader

import (
	"fmt"
	"slices"
	"strings"
)

// What a helmfile may not read: with the keys themselves one could decrypt everywhere and for ever.
const noKeys = "no helmfile may read the keys; what it needs of a key is done by secrets and ref+sops://"

// refuseKeys is the error for a file that holds a key.
func (r Request) refuseKeys(path string) error {
	if r.Keys.Holds(path) {
		return fmt.Errorf("%s: %s", path, noKeys)
	}
	return nil
}

// refuseSetFiles does so for --set-file name=path.
func (r Request) refuseSetFiles(flags []string) error {
	for _, flag := range flags {
		if _, path, _ := strings.Cut(flag, "="); r.Keys.Holds(path) {
			return r.refuseKeys(path)
		}
	}
	return nil
}

// readKeys says whether any reference read a key: vals has no way to keep ref+file:// out of a directory beforehand.
func (r *references) readKeys(holds func(path string) bool) bool {
	return slices.ContainsFunc(slices.Concat(r.strings.Keys(), r.documents.Keys()), func(key any) bool {
		text, _ := key.(string)
		_, path, _ := strings.Cut(text, "://")
		path, _, _ = strings.Cut(path, "?")
		path, _, _ = strings.Cut(path, "#")
		return scheme(key) == "file" && holds(path)
	})
}
