package release

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeysAreOrderedByNamespaceAndName(t *testing.T) {
	keys := []Key{{"shop", "web"}, {"a", "z"}, {"shop", "db"}, {"shop-eu", "a"}, {"b", "a"}}
	slices.SortFunc(keys, Key.Compare)
	want := []string{"a/z", "b/a", "shop/db", "shop/web", "shop-eu/a"}
	if diff := cmp.Diff(want, asStrings(keys)); diff != "" {
		t.Error(diff)
	}
}

func TestObjectsAreOrderedByKindNamespaceNameAndVersion(t *testing.T) {
	manifest := Manifest{
		object("v1", "Service", "", "web"),
		object("v1", "ConfigMap", "shop", "a"),
		object("apps/v1", "Deployment", "", "web"),
		object("v1", "ConfigMap", "", "z"),
		object("apps/v1", "Deployment", "", "db"),
	}
	manifest.Sort()
	var got []ObjectKey
	for _, o := range manifest {
		got = append(got, o.ObjectKey)
	}
	want := []string{"ConfigMap/z", "ConfigMap/shop/a", "Deployment/db", "Deployment/web", "Service/web"}
	if diff := cmp.Diff(want, asStrings(got)); diff != "" {
		t.Error(diff)
	}
}

func TestTheOrderDoesNotDependOnTheInput(t *testing.T) {
	var sorted Manifest
	for _, key := range everyObjectKey() {
		sorted = append(sorted, Object{ObjectKey: key, Content: map[string]any{"of": key.String() + key.APIVersion}})
	}
	sorted.Sort()
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		shuffled := slices.Clone(sorted)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		shuffled.Sort()
		if diff := cmp.Diff(sorted, shuffled); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestCompareIsATotalOrder(t *testing.T) {
	var keys []Key
	for _, namespace := range parts {
		for _, name := range parts {
			keys = append(keys, Key{namespace, name})
		}
	}
	totalOrder(t, keys, Key.Compare)
	totalOrder(t, everyObjectKey(), ObjectKey.Compare)
}

// totalOrder checks all triples: only equals compare as equal, a swap changes the sign, and the order is transitive.
func totalOrder[K comparable](t *testing.T, keys []K, compare func(K, K) int) {
	t.Helper()
	for _, a := range keys {
		for _, b := range keys {
			ab := compare(a, b)
			if (ab == 0) != (a == b) || ab != -compare(b, a) {
				t.Fatalf("%v and %v compare as %d, swapped as %d", a, b, ab, compare(b, a))
			}
			for _, c := range keys {
				if ab <= 0 && compare(b, c) <= 0 && compare(a, c) > 0 {
					t.Fatalf("%v ≤ %v ≤ %v, but the first is greater than the last", a, b, c)
				}
			}
		}
	}
}

var parts = []string{"", "a", "b"}

func everyObjectKey() []ObjectKey {
	var keys []ObjectKey
	for _, version := range parts {
		for _, kind := range parts {
			for _, namespace := range parts {
				for _, name := range parts {
					keys = append(keys, ObjectKey{version, kind, namespace, name})
				}
			}
		}
	}
	return keys
}

func object(version, kind, namespace, name string) Object {
	return Object{ObjectKey: ObjectKey{APIVersion: version, Kind: kind, Namespace: namespace, Name: name}}
}

func asStrings[K interface{ String() string }](keys []K) []string {
	var all []string
	for _, key := range keys {
		all = append(all, key.String())
	}
	return all
}
