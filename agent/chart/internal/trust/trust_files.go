package trust

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/files"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
)

// maxTrustFile is the limit of the size of a file with certificates, a key or a keyring.
const maxTrustFile = 1 << 20

// systemCertificates are the paths of the certificate authorities of the machine. They contain no secret.
var systemCertificates = []string{
	"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/pki/tls/certs", "/etc/pki/ca-trust", "/etc/ca-certificates",
	"/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
}

// certificateLocations are the places outside of the repository that a caFile may name.
func certificateLocations() []string {
	return slices.Concat(systemCertificates, filepath.SplitList(os.Getenv("SSL_CERT_FILE")), filepath.SplitList(os.Getenv("SSL_CERT_DIR")))
}

// Reader reads the certificates, keys and keyrings that a helmfile names. It is safe for concurrent use.
type Reader struct {
	dir   string
	files *files.Reader
}

// New makes a reader of files below the roots of the reader of charts. It writes temporary files into dir.
func New(dir string, files *files.Reader) *Reader {
	return &Reader{dir: dir, files: files}
}

// read reads a file below the roots, or below one of the other directories.
func (r *Reader) read(path string, others ...string) ([]byte, error) {
	roots := r.files.Roots()
	if len(roots) > 0 {
		roots = append(roots, others...)
	}
	file, err := openBelow(roots, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	data, err := io.ReadAll(limits.NewReader(file, maxTrustFile))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}

// trustFileFlags open a pipe without waiting for a writer.
const trustFileFlags = os.O_RDONLY | syscall.O_NONBLOCK

// openBelow opens a file below one of the roots. Without roots it opens every file. The error for a path outside of the roots does not tell
// whether the file exists.
func openBelow(roots []string, path string) (*os.File, error) {
	if len(roots) == 0 {
		return os.OpenFile(path, trustFileFlags, 0)
	}
	paths := []string{path}
	if real, err := files.RealPath(path); err == nil {
		paths = append(paths, real) // os.Root does not follow absolute links
	}
	refused := fmt.Errorf("%s is outside of the repository: copy it into the repository", path)
	for _, root := range roots {
		for _, path := range paths {
			if inside, err := filepath.Rel(root, path); err != nil || !filepath.IsLocal(inside) {
				continue
			}
			file, err := openIn(root, path)
			if err == nil {
				return file, nil
			}
			if os.IsNotExist(err) || os.IsPermission(err) {
				refused = err
			}
		}
	}
	return nil, refused
}

// openIn opens a file below the root, which may itself be a file.
func openIn(root, path string) (*os.File, error) {
	if root == path {
		root = filepath.Dir(root)
	}
	inside, err := filepath.Rel(root, path)
	if err != nil {
		return nil, err
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.OpenFile(inside, trustFileFlags, 0)
}
