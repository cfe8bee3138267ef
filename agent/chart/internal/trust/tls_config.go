package trust

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TLSConfig reads the certificates that the repository names.
func (r *Reader) TLSConfig(repository release.Repository) (*tls.Config, error) {
	config := &tls.Config{InsecureSkipVerify: repository.InsecureSkipTLSVerify} //nolint:gosec // only where the helmfile says so
	if repository.CAFile != "" {
		pem, err := r.read(repository.CAFile, certificateLocations()...)
		if err != nil {
			return nil, fmt.Errorf("caFile: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("caFile: %s contains no certificate", repository.CAFile)
		}
	}
	if repository.CertFile == "" || repository.KeyFile == "" {
		return config, nil
	}
	cert, err := r.read(repository.CertFile)
	if err != nil {
		return nil, fmt.Errorf("certFile: %w", err)
	}
	key, err := r.read(repository.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("keyFile: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("certFile %s and keyFile %s: %w", repository.CertFile, repository.KeyFile, err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
