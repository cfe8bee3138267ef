package kube

import (
	"fmt"

	"helm.sh/helm/v3/pkg/storage"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// RecordName is how Helm names the Secret that stores a revision.
func RecordName(key release.Key, revision int) string {
	return fmt.Sprintf("%s.%s.v%d", storage.HelmStorageType, key.Name, revision)
}

// LeaseName is the Lease of an instance, in the agent's own namespace.
func (c *Connection) LeaseName() string { return c.Options.Instance }

// StateName is the ConfigMap of an instance, in the agent's own namespace.
func (c *Connection) StateName() string { return c.Options.Instance + "-state" }

// FieldManager names the agent in managedFields.
const FieldManager = "helmfile-agent"

// Helm's annotations on every object of a release, hooks excepted.
const (
	NameAnnotation      = "meta.helm.sh/release-name"
	NamespaceAnnotation = "meta.helm.sh/release-namespace"
)

// BelongsTo says whether an object has Helm's annotations of the release. Only a client that may write the object can add them.
func BelongsTo(annotations map[string]string, key release.Key) bool {
	return annotations[NameAnnotation] == key.Name && annotations[NamespaceAnnotation] == key.Namespace
}

// LeaseGroup is the API group of Leases.
const LeaseGroup = "coordination.k8s.io"

// CRDKind is the kind of objects that define kinds.
const CRDKind = "CustomResourceDefinition"
