package release

import (
	"cmp"
	"slices"
)

// Manifest holds all objects of a release with its hooks and without its tests, ordered by [ObjectKey.Compare].
type Manifest []Object

// Object is one Kubernetes object of a manifest.
type Object struct {
	ObjectKey
	Hook bool
	// Content is the decoded object as the chart rendered it.
	Content map[string]any
}

// ObjectKey names an object within a manifest.
type ObjectKey struct {
	APIVersion string
	Kind       string
	Namespace  string // empty when the template does not set it: then it is the release's namespace
	Name       string
}

// String is "Kind/name", or "Kind/namespace/name" where the template sets a namespace.
func (k ObjectKey) String() string {
	if k.Namespace == "" {
		return k.Kind + "/" + k.Name
	}
	return k.Kind + "/" + k.Namespace + "/" + k.Name
}

// Compare orders by kind, namespace, name and API version.
func (k ObjectKey) Compare(other ObjectKey) int {
	return cmp.Or(
		cmp.Compare(k.Kind, other.Kind),
		cmp.Compare(k.Namespace, other.Namespace),
		cmp.Compare(k.Name, other.Name),
		cmp.Compare(k.APIVersion, other.APIVersion),
	)
}

// Sort orders the objects by their keys.
func (m Manifest) Sort() {
	slices.SortStableFunc(m, func(a, b Object) int { return a.ObjectKey.Compare(b.ObjectKey) })
}
