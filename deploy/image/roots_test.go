package main

import (
	"crypto/x509"
	"encoding/pem"
	"testing"
)

func TestTheCertificatesAreMozillasAndParse(t *testing.T) {
	content, err := rootCertificates()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		names[certificate.Subject.CommonName] = true
	}
	if len(names) < 100 || !names["ISRG Root X1"] {
		t.Errorf("%d certificates, Let's Encrypt's among them: %v", len(names), names["ISRG Root X1"])
	}
}
