package references

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/helmfile/helmfile/pkg/plugins"
	"github.com/helmfile/vals/pkg/api"
)

// Mask sends secrets to the agent, which masks them.
type Mask interface {
	AddLeaves(document any)
}

// ValsCache gives access to all references that vals has resolved in this process. vals has no hook for them, but it keeps them in two
// caches, whether a state, a values file or a template function has the reference. A test fails if a new version of vals keeps them
// elsewhere.
type ValsCache struct {
	strings, documents lruCache
	providers          map[string]api.Provider
	mask               Mask

	mu   sync.Mutex
	sent int // number of references that the agent knows
}

// lruCache is the cache that vals uses.
type lruCache interface {
	Keys() []any
	Peek(key any) (any, bool)
	Resize(size int) (evicted int)
}

// cacheSize is larger than the number of references in any helmfile: vals must not drop one before the agent masks it.
const cacheSize = 1 << 20

// OpenValsCache finds the caches of the instance of vals that helmfile uses.
func OpenValsCache(mask Mask) (*ValsCache, error) {
	runtime, err := plugins.ValsInstance()
	if err != nil {
		return nil, err
	}
	fields := reflect.ValueOf(runtime).Elem()
	c := &ValsCache{mask: mask}
	for name, target := range map[string]*lruCache{"strCache": &c.strings, "docCache": &c.documents} {
		cache, ok := unexportedField(fields, name).(lruCache)
		if !ok {
			return nil, fmt.Errorf("vals has no cache in its field %s", name)
		}
		cache.Resize(cacheSize)
		*target = cache
	}
	var found bool
	if c.providers, found = unexportedField(fields, "providers").(map[string]api.Provider); !found {
		return nil, errors.New("vals has no providers in its field providers")
	}
	return c, nil
}

// unexportedField returns the value of a field; nil if there is no such field. Reflection alone does not return unexported fields.
func unexportedField(of reflect.Value, name string) any {
	field := of.FieldByName(name)
	if !field.IsValid() {
		return nil
	}
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Interface()
}

// SendSecrets sends the resolved values to the mask, if vals has resolved any since the last call. It is cheap, so it is called before
// each text that may contain them.
func (c *ValsCache) SendSecrets() {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := len(c.keys())
	if count == c.sent {
		return
	}
	c.sent = count
	for _, cache := range []lruCache{c.strings, c.documents} {
		for _, key := range cache.Keys() {
			value, _ := cache.Peek(key)
			if _, document := value.(map[string]any); document && schemeOf(key) == "file" {
				continue // not all of a plain file is secret, and what a reference selects is in the other cache
			}
			c.mask.AddLeaves(value)
		}
	}
}

// RanCommand says whether vals has resolved a reference to a command, also one that the earlier checks did not find.
func (c *ValsCache) RanCommand() bool {
	return slices.ContainsFunc(c.keys(), func(key any) bool { return schemeOf(key) == "exec" })
}

func (c *ValsCache) keys() []any { return slices.Concat(c.strings.Keys(), c.documents.Keys()) }

// schemeOf returns the store that a resolved reference names, such as vault. vals accepts upper and lower case.
func schemeOf(key any) string {
	text, _ := key.(string)
	name, _, _ := strings.Cut(text, "://")
	return strings.ToLower(name)
}
