// Package trust reads the certificates, keys and keyrings that a helmfile names, and verifies charts with them.
package trust
