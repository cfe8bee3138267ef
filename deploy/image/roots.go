package main

import (
	"bytes"
	"encoding/pem"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// rootCertificates returns Mozilla's list, as the Go project publishes it. It comes from a module, not from the build machine. The
// version is in go.mod, so each commit has a fixed list. The authority of a company, which many machines trust, cannot get into the
// image.
//
// It leaves out roots that Mozilla trusts only for certificates from before a certain date, because a PEM file cannot express the date.
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
