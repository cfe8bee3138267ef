package main

import (
	"bytes"
	"encoding/pem"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// rootCertificates is Mozilla's list, as the Go project publishes it. It comes from a module, not from the building
// machine: the version is in go.mod, so a commit has one list, and a company's own authority, which many machines carry,
// never ends up in an image for everybody.
//
// Roots that Mozilla trusts only for certificates issued before some date are left out, because a PEM file cannot say so.
func rootCertificates() ([]byte, error) {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}
