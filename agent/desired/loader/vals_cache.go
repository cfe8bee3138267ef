package loader

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/helmfile/helmfile/pkg/plugins"
	"github.com/helmfile/helmfile/pkg/state"
	"github.com/helmfile/vals/pkg/api"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// learnSecrets makes known what the secrets of a release have become: the last of the files that helmfile hands over. Those
// that are templates hold what was decrypted nowhere.
func (e *engine) learnSecrets(key release.Key, files []string) {
	for _, file := range files[max(0, len(files)-e.secrets[key]):] {
		if content, err := os.ReadFile(file); err == nil { // or Helm will say so
			e.req.report.AddDocument(content)
		}
	}
}

// countSecrets is how many entries each release has under secrets.
func (l *loader) countSecrets(specs []state.ReleaseSpec) map[release.Key]int {
	counts := map[release.Key]int{}
	for _, spec := range specs {
		counts[l.key(spec.Namespace, spec.Name)] = len(spec.Secrets)
	}
	return counts
}

// references are the ref+ values that vals has resolved in this process. vals has no way to be told of them, but keeps
// them in two caches: whatever a state, a values file or a template function asked for is there. The test of this type
// fails if a new version of vals keeps them elsewhere.
type references struct {
	strings, documents cache
	providers          map[string]api.Provider
}

// cache is an LRU cache as vals has it.
type cache interface {
	Keys() []any
	Peek(key any) (any, bool)
	Resize(size int) (evicted int)
}

// plenty is more references than any helmfile has: none may be forgotten before it was masked.
const plenty = 1 << 20

func resolvedReferences() (*references, error) {
	runtime, err := plugins.ValsInstance()
	if err != nil {
		return nil, err
	}
	of := reflect.ValueOf(runtime).Elem()
	r := &references{}
	for name, target := range map[string]*cache{"strCache": &r.strings, "docCache": &r.documents} {
		found, ok := unexported(of, name).(cache)
		if !ok {
			return nil, fmt.Errorf("vals does not keep what it resolved in %s", name)
		}
		found.Resize(plenty)
		*target = found
	}
	known := false
	if r.providers, known = unexported(of, "providers").(map[string]api.Provider); !known {
		return nil, errors.New("vals does not keep its providers where it is looked for")
	}
	return r, nil
}

// unexported reads a field that reflection alone only lets one look at; nil if there is none of the name.
func unexported(of reflect.Value, name string) any {
	field := of.FieldByName(name)
	if !field.IsValid() {
		return nil
	}
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Interface()
}

// learn makes what was resolved so far known to the mask. Of a plain file only what is referred to is a secret; a document
// of a secret store is one as a whole.
func (r *references) learn(mask reporter) {
	for _, from := range []cache{r.strings, r.documents} {
		for _, key := range from.Keys() {
			value, _ := from.Peek(key)
			if _, document := value.(map[string]any); document && scheme(key) == "file" {
				continue
			}
			mask.AddLeaves(value)
		}
	}
}

// scheme is the store that a resolved reference names, such as vault. vals understands it in any case.
func scheme(key any) string {
	text, _ := key.(string)
	name, _, _ := strings.Cut(text, "://")
	return strings.ToLower(name)
}

// ranCommand says whether any came from a command, however well it was hidden from those who look for it beforehand.
func (r *references) ranCommand() bool {
	return slices.ContainsFunc(slices.Concat(r.strings.Keys(), r.documents.Keys()), func(key any) bool { return scheme(key) == "exec" })
}

// resolved makes learning cheap to call before every text that may hold what was resolved.
type resolved struct {
	sync.Mutex
	known *references
	seen  int
}

// learn tells the mask of references that were resolved since it was called last.
func (l *loader) learn() {
	l.resolved.Lock()
	defer l.resolved.Unlock()
	if l.resolved.known == nil {
		return // nothing of helmfile has run yet
	}
	count := len(l.resolved.known.strings.Keys()) + len(l.resolved.known.documents.Keys())
	if count == l.resolved.seen {
		return
	}
	l.resolved.seen = count
	l.resolved.known.learn(l.req.report)
}
