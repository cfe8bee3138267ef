package trust

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/files"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// confined is a reader of files below a repository, that repository, and a directory outside of it.
func confined(t *testing.T) (r *Reader, repository, outside string) {
	t.Helper()
	repository, outside = t.TempDir(), t.TempDir()
	local := files.New(nil)
	if err := local.Confine(repository); err != nil {
		t.Fatal(err)
	}
	return New(t.TempDir(), local), repository, outside
}

// tlsError is the error of a repository with these certificates. It must not take long.
func tlsError(t *testing.T, r *Reader, repository release.Repository) error {
	t.Helper()
	errs := make(chan error, 1)
	go func() {
		_, err := r.TLSConfig(repository)
		errs <- err
	}()
	select {
	case err := <-errs:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the agent still reads the file")
		return nil
	}
}

func TestTrustFilesLieInTheRepository(t *testing.T) {
	r, repository, outside := confined(t)
	charttest.Write(t, filepath.Join(outside, "existing"), "s3cret")
	charttest.Link(t, outside, filepath.Join(repository, "absolute"))
	up, err := filepath.Rel(repository, outside)
	if err != nil {
		t.Fatal(err)
	}
	charttest.Link(t, up, filepath.Join(repository, "relative"))
	inside := filepath.Join(repository, "inside")
	charttest.Write(t, inside, "no certificate")
	for _, dir := range []string{outside, repository + "/" + up, repository + "/absolute", repository + "/relative"} {
		var errs []string
		for _, name := range []string{"existing", "missing"} {
			file := dir + "/" + name
			for field, from := range map[string]release.Repository{
				"caFile":   {CAFile: file},
				"certFile": {CertFile: file, KeyFile: inside},
				"keyFile":  {CertFile: inside, KeyFile: file},
			} {
				err := tlsError(t, r, from)
				charttest.ExpectError(t, err, "outside of the repository")
				if err != nil && field == "caFile" {
					errs = append(errs, strings.ReplaceAll(err.Error(), name, ""))
				}
			}
			_, err := r.read(file)
			charttest.ExpectError(t, err, "outside of the repository")
		}
		if len(errs) != 2 || errs[0] != errs[1] {
			t.Errorf("the errors reveal whether a file exists: %q", errs)
		}
	}
	charttest.ExpectError(t, tlsError(t, r, release.Repository{CAFile: inside}), "contains no certificate")
	charttest.ExpectError(t, tlsError(t, r, release.Repository{CAFile: repository + "/missing"}), "no such file")
}

func TestTrustFilesAreSmallRegularFiles(t *testing.T) {
	r, repository, _ := confined(t)
	for name, want := range map[string]string{"pipe": "not a regular file", "dir": "not a regular file", "large": "limit of 1 MiB"} {
		file := filepath.Join(repository, name)
		var err error
		switch name {
		case "pipe":
			err = unix.Mkfifo(file, 0o600)
		case "dir":
			err = os.Mkdir(file, 0o700)
		default:
			err = os.WriteFile(file, make([]byte, maxTrustFile+1), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		charttest.ExpectError(t, tlsError(t, r, release.Repository{CAFile: file}), want)
	}
	unconfined := New(t.TempDir(), files.New(nil))
	charttest.ExpectError(t, tlsError(t, unconfined, release.Repository{CAFile: "/dev/zero"}), "not a regular file")
}

func TestCertificatesOfTheSystem(t *testing.T) {
	r, repository, outside := confined(t)
	_, ca := charttest.TLSServer(t, nil)
	dir := filepath.Join(outside, "certs")
	charttest.Link(t, ca, filepath.Join(dir, "ca.pem"))
	t.Setenv("SSL_CERT_FILE", ca)
	t.Setenv("SSL_CERT_DIR", dir)
	for _, name := range []string{ca, filepath.Join(dir, "ca.pem")} {
		if err := tlsError(t, r, release.Repository{CAFile: name}); err != nil {
			t.Errorf("the operator's authorities: %v", err)
		}
	}
	inside := filepath.Join(repository, "inside")
	charttest.Write(t, inside, "x")
	charttest.ExpectError(t, tlsError(t, r, release.Repository{CertFile: inside, KeyFile: ca}), "outside of the repository")
	charttest.ExpectError(t, tlsError(t, r, release.Repository{CertFile: ca, KeyFile: inside}), "outside of the repository")
}

func TestClientCertificate(t *testing.T) {
	r, repository, _ := confined(t)
	srv, _ := charttest.TLSServer(t, nil)
	cert, key := writePair(t, repository, srv.TLS.Certificates[0])
	got, err := r.TLSConfig(release.Repository{CertFile: cert, KeyFile: key})
	if err != nil || len(got.Certificates) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

// writePair writes a certificate and its key.
func writePair(t *testing.T, dir string, pair tls.Certificate) (cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	charttest.Write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})))
	charttest.Write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	return cert, key
}
