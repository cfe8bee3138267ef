// Package oci downloads charts from OCI registries.
package oci
