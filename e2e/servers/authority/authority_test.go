package authority

import (
	"crypto/x509"
	"encoding/pem"
	"testing"
)

func TestLoopbackIsTrustedThroughItsAuthorityOnly(t *testing.T) {
	own, other := newAuthority(t), newAuthority(t)
	pair, err := own.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(pair.Certificate)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"127.0.0.1", "::1", "localhost"} {
		if _, err := certificate.Verify(trusting(own, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := certificate.Verify(trusting(own, "example.com")); err == nil {
		t.Error("valid for another host")
	}
	if _, err := certificate.Verify(trusting(other, "127.0.0.1")); err == nil {
		t.Error("trusted through another authority")
	}
}

func newAuthority(t *testing.T) *Authority {
	t.Helper()
	a, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func trusting(a *Authority, name string) x509.VerifyOptions {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM)
	return x509.VerifyOptions{Roots: roots, DNSName: name}
}
