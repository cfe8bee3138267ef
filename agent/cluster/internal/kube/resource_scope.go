package kube

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// ResourceScope is where objects of one kind live: what one LIST returns.
type ResourceScope struct {
	schema.GroupVersionResource
	Namespace string // empty for what is cluster-scoped
}

// Of is the client for the objects of the scope.
func (p ResourceScope) Of(client dynamic.Interface) dynamic.ResourceInterface {
	if p.Namespace == "" {
		return client.Resource(p.GroupVersionResource)
	}
	return client.Resource(p.GroupVersionResource).Namespace(p.Namespace)
}

// ScopeOf finds where an object of a release in the namespace lives; not ok when the cluster does not know its kind.
func (c *Connection) ScopeOf(object release.Object, namespace string) (ResourceScope, bool) {
	gv, err := schema.ParseGroupVersion(object.APIVersion)
	if err != nil {
		return ResourceScope{}, false
	}
	mapping, err := c.Mapper.RESTMapping(gv.WithKind(object.Kind).GroupKind(), gv.Version)
	if err != nil {
		return ResourceScope{}, false
	}
	at := ResourceScope{GroupVersionResource: mapping.Resource}
	if mapping.Scope.Name() == "namespace" {
		at.Namespace = namespace
		if object.Namespace != "" {
			at.Namespace = object.Namespace
		}
	}
	return at, true
}
