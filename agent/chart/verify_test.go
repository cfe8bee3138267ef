package chart

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"helm.sh/helm/v3/pkg/provenance"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// newKey writes a public keyring and returns it with the key that signs.
func newKey(t *testing.T, name string) (string, *openpgp.Entity) {
	t.Helper()
	key, err := openpgp.NewEntity(name, "", name+"@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pubring.gpg")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(key.Serialize(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	return file, key
}

func sign(t *testing.T, key *openpgp.Entity, archive string) []byte {
	t.Helper()
	signature, err := (&provenance.Signatory{Entity: key}).ClearSign(archive)
	if err != nil {
		t.Fatal(err)
	}
	charttest.Write(t, archive+".prov", signature)
	return []byte(signature)
}

func TestVerify(t *testing.T) {
	trusted, key := newKey(t, "author")
	stranger, _ := newKey(t, "stranger")
	srv := serve(t, "web 1.0.0", "bare 1.0.0")
	file := filepath.Join(srv.dir, "web-1.0.0.tgz")
	signature := sign(t, key, file)
	at, digests := serveOCI(t, "", "", map[string][]byte{file: signature}, file)
	local := charttest.WriteChart(t, t.TempDir(), "dir", "1.0.0", "")

	fromHTTP := release.Chart{Ref: "web", Repository: srv.repository()}
	fromOCI := release.Chart{Ref: "oci://" + at + "/web", Version: "1.0.0", PlainHTTP: true}
	for name, test := range map[string]struct {
		chart   release.Chart
		keyring string
		want    string // of the error
	}{
		"http, trusted":          {fromHTTP, trusted, ""},
		"http, a stranger's":     {fromHTTP, stranger, "verify"},
		"http, not signed":       {release.Chart{Ref: "bare", Repository: srv.repository()}, trusted, "provenance"},
		"oci, trusted":           {fromOCI, trusted, ""},
		"oci by digest, trusted": {release.Chart{Ref: "oci://" + at + "/web@" + digests["1.0.0"], PlainHTTP: true}, trusted, ""},
		"oci, a stranger's":      {fromOCI, stranger, "verify"},
		"local archive, trusted": {release.Chart{Path: file}, trusted, ""},
		"local archive, not":     {release.Chart{Path: file}, stranger, "verify"},
		"a directory":            {release.Chart{Path: local}, trusted, "only packaged charts can be verified"},
	} {
		t.Run(name, func(t *testing.T) {
			test.chart.Verify, test.chart.Keyring = true, test.keyring
			_, err := newStore(t).Load(t.Context(), test.chart)
			if test.want == "" && err != nil {
				t.Error(err)
			}
			if test.want != "" {
				charttest.ExpectError(t, err, test.want)
			}
		})
	}
}

func TestKeyringLiesInTheRepository(t *testing.T) {
	keyring, key := newKey(t, "author")
	srv := serve(t, "web 1.0.0")
	sign(t, key, filepath.Join(srv.dir, "web-1.0.0.tgz"))
	c := release.Chart{Ref: "web", Repository: srv.repository(), Verify: true, Keyring: keyring}
	s, repository, _ := confined(t)
	_, err := s.Load(t.Context(), c)
	charttest.ExpectError(t, err, "outside of the repository")
	content, err := os.ReadFile(keyring)
	if err != nil {
		t.Fatal(err)
	}
	c.Keyring = filepath.Join(repository, "pubring.gpg")
	charttest.Write(t, c.Keyring, string(content))
	if _, err := s.Load(t.Context(), c); err != nil {
		t.Error("a keyring of the repository:", err)
	}
	t.Setenv("GNUPGHOME", filepath.Dir(keyring))
	c.Keyring = ""
	s, _, _ = confined(t) // the other store has the error of the download
	if _, err := s.Load(t.Context(), c); err != nil {
		t.Error("the operator's keyring:", err)
	}
}
