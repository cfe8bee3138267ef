package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/archive"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// tarball is an archive of these entries; an entry without a type is a regular file.
func tarball(t *testing.T, entries ...tar.Header) []byte {
	t.Helper()
	var data bytes.Buffer
	zipped := gzip.NewWriter(&data)
	out := tar.NewWriter(zipped)
	for _, e := range entries {
		content := e.Linkname
		if e.Typeflag == 0 {
			e.Typeflag, e.Linkname, e.Size = tar.TypeReg, "", int64(len(content))
		}
		e.Mode = 0o644
		if err := out.WriteHeader(&e); err != nil {
			t.Fatal(err)
		}
		if e.Typeflag == tar.TypeReg {
			_, _ = io.WriteString(out, content)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// file is an entry for a regular file. Its content is in Linkname, which a regular file does not use.
func file(name, content string) tar.Header { return tar.Header{Name: name, Linkname: content} }

var webYAML = file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")

// serving answers each path with its content.
func serving(files map[string][]byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(content)
	})
}

func indexOf(archiveURL, digest string) []byte {
	return fmt.Appendf(nil, "apiVersion: v1\nentries:\n  web:\n  - {apiVersion: v2, name: web, version: 1.0.0, digest: '%s', urls: ['%s']}\n", digest, archiveURL)
}

func loadWeb(t *testing.T, url string) error {
	t.Helper()
	_, err := newStore(t).Load(t.Context(), release.Chart{Ref: "web", Repository: &release.Repository{Name: "r", URL: url}})
	return err
}

func TestLoopbackNeedsAnEntry(t *testing.T) {
	srv := serve(t, "web 1.0.0")
	at, _ := serveOCI(t, "", "", nil, charttest.Package(t, t.TempDir(), "web", "1.0.0"))
	for _, allowed := range [][]string{nil, {"*"}} {
		for _, c := range []release.Chart{
			{Ref: "web", Repository: srv.repository()},
			{Ref: srv.URL + "/web-1.0.0.tgz"},
			{Ref: "oci://" + at + "/web", Version: "1.0.0", PlainHTTP: true},
			{Ref: "oci://" + at + "/web", Version: "^1", PlainHTTP: true},
			{Path: charttest.WriteChart(t, t.TempDir(), "web", "1.0.0", `dependencies: [{name: web, version: "1", repository: "`+srv.URL+`"}]`)},
			{Path: charttest.WriteChart(t, t.TempDir(), "web", "1.0.0", `dependencies: [{name: web, version: "1.0.0", repository: "oci://`+at+`"}]`)},
		} {
			s, err := NewStore(t.TempDir(), egress.Policy{Allowed: allowed}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			s.AddRepositories(release.Repository{Name: "plain", URL: at, OCI: true, PlainHTTP: true})
			_, err = s.Load(t.Context(), c)
			charttest.ExpectError(t, err, "web", "127.0.0.1", "loopback", "allowRemote")
			joined, err := JoinStore(s.Dir(), nil, s.log)
			if err != nil {
				t.Fatal(err)
			}
			joined.AddRepositories(release.Repository{Name: "plain", URL: at, OCI: true, PlainHTTP: true})
			_, err = joined.Load(t.Context(), c)
			charttest.ExpectError(t, err, "allowRemote")
		}
	}
	srv.expectRequests(t, map[string]int{})
}

func TestRedirectToLoopbackNeedsAnEntry(t *testing.T) {
	hidden := serve(t, "web 1.0.0")
	front := httptest.NewServer(http.RedirectHandler(hidden.URL+"/index.yaml", http.StatusFound))
	defer front.Close()
	s, err := NewStore(t.TempDir(), egress.Policy{Allowed: []string{strings.TrimPrefix(front.URL, "http://")}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Load(t.Context(), release.Chart{Ref: "web", Repository: &release.Repository{Name: "r", URL: front.URL}})
	charttest.ExpectError(t, err, "loopback", "allowRemote")
	hidden.expectRequests(t, map[string]int{})
}

func TestAnHTTPSRepositoryCannotLeadToHTTP(t *testing.T) {
	plain := serve(t, "web 1.0.0")
	for name, handler := range map[string]http.Handler{
		"plain HTTP":         serving(map[string][]byte{"/index.yaml": indexOf(plain.URL+"/web-1.0.0.tgz", "")}),
		"from https to http": http.RedirectHandler(plain.URL+"/index.yaml", http.StatusFound),
	} {
		srv, ca := charttest.TLSServer(t, handler)
		_, err := newStore(t).Load(t.Context(), release.Chart{Ref: "web", Repository: &release.Repository{Name: "r", URL: srv.URL, CAFile: ca}})
		charttest.ExpectError(t, err, "web", name)
	}
	plain.expectRequests(t, map[string]int{})
}

func TestCredentialsStayWithTheirPort(t *testing.T) {
	var got http.Header
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Clone() }))
	defer other.Close()
	front := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer front.Close()
	r := &release.Repository{Name: "r", URL: front.URL, Username: "u", Password: "s3cret", PassCredentials: true}
	_, err := newStore(t).Load(t.Context(), release.Chart{Ref: "web", Repository: r})
	charttest.ExpectError(t, err, front.URL)
	if got == nil || got.Get("Authorization") != "" {
		t.Errorf("the other port got %v", got)
	}
}

func TestAnArchiveMustMatchTheIndex(t *testing.T) {
	good := tarball(t, webYAML)
	sum := sha256.Sum256(good)
	digest := hex.EncodeToString(sum[:])
	for name, test := range map[string]struct {
		digest  string
		archive []byte
		words   []string
	}{
		"as promised":     {digest, good, nil},
		"with its prefix": {"sha256:" + digest, good, nil},
		"without digest":  {"", good, nil},
		"another digest":  {strings.Repeat("0", 64), good, []string{"sha256", digest, strings.Repeat("0", 64)}},
		"another name":    {"", tarball(t, file("web/Chart.yaml", "apiVersion: v2\nname: worm\nversion: 1.0.0\n")), []string{`"worm"`, "instead of web 1.0.0"}},
		"another version": {"", tarball(t, file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.9.0\n")), []string{`"0.9.0"`, "instead of web 1.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(serving(map[string][]byte{"/index.yaml": indexOf("web.tgz", test.digest), "/web.tgz": test.archive}))
			defer srv.Close()
			dependent := release.Chart{Path: charttest.WriteChart(t, t.TempDir(), "top", "1.0.0", `dependencies: [{name: web, version: "1", repository: "`+srv.URL+`"}]`)}
			_, err := newStore(t).Load(t.Context(), dependent)
			direct := loadWeb(t, srv.URL)
			if test.words == nil {
				if direct != nil || err != nil {
					t.Fatal(direct, err)
				}
				return
			}
			charttest.ExpectError(t, direct, test.words...)
			charttest.ExpectError(t, err, test.words...)
		})
	}
}

func TestADirectURLHonoursTheVersion(t *testing.T) {
	srv := serve(t, "web 1.0.0")
	_, err := newStore(t).Load(t.Context(), release.Chart{Ref: srv.URL + "/web-1.0.0.tgz", Version: "2.0.0"})
	charttest.ExpectError(t, err, `version "1.0.0"`, "instead of 2.0.0")
}

// endless answers with more zeros than any limit.
func endless(w http.ResponseWriter, _ *http.Request) {
	block := make([]byte, 1<<20)
	for range limits.IndexSize>>20 + 1 {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

func TestDownloadsHaveALimit(t *testing.T) {
	index := httptest.NewServer(http.HandlerFunc(endless))
	defer index.Close()
	charttest.ExpectError(t, loadWeb(t, index.URL), "download index of "+index.URL, "larger than the limit of 64 MiB")
	_, err := newStore(t).Load(t.Context(), release.Chart{Ref: index.URL + "/web.tgz"})
	charttest.ExpectError(t, err, "download "+index.URL, "larger than the limit of 64 MiB")
}

func TestLayersOfARegistryHaveALimit(t *testing.T) {
	layer, config := make([]byte, limits.ArchiveSize+1), []byte(`{"name": "web", "version": "1.0.0"}`)
	digest := func(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }
	manifest := fmt.Appendf(nil, `{"schemaVersion": 2, "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "size": %d, "digest": %q},
		"layers": [{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "size": %d, "digest": %q}]}`,
		len(config), digest(config), len(layer), digest(layer))
	answers := serving(map[string][]byte{"/v2/charts/web/manifests/1.0.0": manifest, "/v2/charts/web/manifests/" + digest(manifest): manifest,
		"/v2/charts/web/blobs/" + digest(config): config, "/v2/charts/web/blobs/" + digest(layer): layer})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/manifests/") {
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			w.Header().Set("Docker-Content-Digest", digest(manifest))
			w.Header().Set("Content-Length", fmt.Sprint(len(manifest)))
		}
		answers.ServeHTTP(w, r)
	}))
	defer srv.Close()
	at := strings.TrimPrefix(srv.URL, "http://")
	_, err := newStore(t).Load(t.Context(), release.Chart{Ref: "oci://" + at + "/charts/web", Version: "1.0.0", PlainHTTP: true})
	charttest.ExpectError(t, err, "web", "larger than the limit of 64 MiB")
}

func TestUnsafeArchivesAreRefusedBeforeUnpacking(t *testing.T) {
	many := []tar.Header{webYAML}
	for i := range archive.MaxEntries {
		many = append(many, file(fmt.Sprintf("web/files/%d", i), ""))
	}
	bomb := []tar.Header{webYAML}
	zeros := strings.Repeat("\x00", 4<<20)
	for i := range 26 {
		bomb = append(bomb, file(fmt.Sprintf("web/files/%d", i), zeros))
	}
	half := string(tarball(t, bomb[:14]...))
	nest := tarball(t, webYAML)
	for range archive.MaxNesting + 1 {
		nest = tarball(t, webYAML, file("web/charts/web.tgz", string(nest)))
	}
	for name, test := range map[string]struct {
		archive []byte
		words   []string
	}{
		"up":                {tarball(t, webYAML, file("web/../../evil", "x")), []string{"web/../../evil", "leads out"}},
		"up, backslash":     {tarball(t, webYAML, file(`web\..\..\evil`, "x")), []string{"leads out"}},
		"up, a directory":   {tarball(t, webYAML, tar.Header{Name: "web/../../evil/", Typeflag: tar.TypeDir}), []string{"leads out"}},
		"absolute":          {tarball(t, webYAML, file("/etc/evil", "x")), []string{"/etc/evil", "absolute"}},
		"a drive":           {tarball(t, webYAML, file("web/c:/evil", "x")), []string{"absolute"}},
		"a symbolic link":   {tarball(t, webYAML, tar.Header{Name: "web/values.yaml", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}), []string{"web/values.yaml", "neither a regular file"}},
		"a hard link":       {tarball(t, webYAML, tar.Header{Name: "web/values.yaml", Linkname: "/etc/passwd", Typeflag: tar.TypeLink}), []string{"neither a regular file"}},
		"a device":          {tarball(t, webYAML, tar.Header{Name: "web/zero", Typeflag: tar.TypeChar}), []string{"neither a regular file"}},
		"a pipe":            {tarball(t, webYAML, tar.Header{Name: "web/pipe", Typeflag: tar.TypeFifo}), []string{"neither a regular file"}},
		"twice":             {tarball(t, webYAML, webYAML), []string{"web/Chart.yaml", "twice"}},
		"twice, another":    {tarball(t, webYAML, file("other/./Chart.yaml", "name: x")), []string{"twice"}},
		"too many files":    {tarball(t, many...), []string{"more than 10000 entries"}},
		"too large":         {tarball(t, bomb...), []string{"limit of 100 MiB when unpacked"}},
		"nested, too large": {tarball(t, webYAML, file("web/charts/a.tgz", half), file("web/charts/b.tgz", half)), []string{"limit of 100 MiB when unpacked"}},
		"nested, unsafe":    {tarball(t, webYAML, file("web/charts/a.tgz", string(tarball(t, file("a/../../x", ""))))), []string{"web/charts/a.tgz", "leads out"}},
		"nested too deep":   {nest, []string{"nested more than 10 deep"}},
		"deep directories":  {tarball(t, webYAML, file("web/"+strings.Repeat("d/", limits.PathElements)+"f", "")), []string{"64 directories deep"}},
		"deep subcharts":    {tarball(t, webYAML, file("web/"+strings.Repeat("charts/a/", archive.MaxNesting+1)+"Chart.yaml", "")), []string{"nested more than 10 deep"}},
		"no archive":        {[]byte("<html>"), []string{"read chart archive"}},
		"cut off":           {tarball(t, webYAML)[:50], []string{"read chart archive"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(serving(map[string][]byte{"/web.tgz": test.archive}))
			defer srv.Close()
			s, into := newStore(t), t.TempDir()
			_, err := s.Pull(t.Context(), release.Chart{Ref: srv.URL + "/web.tgz"}, into)
			charttest.ExpectError(t, err, append(test.words, srv.URL)...)
			if left, _ := os.ReadDir(into); len(left) > 0 {
				t.Errorf("files remain: %v", left)
			}
			local := filepath.Join(t.TempDir(), "web.tgz")
			charttest.Write(t, local, string(test.archive))
			_, err = s.Load(t.Context(), release.Chart{Path: local})
			charttest.ExpectError(t, err, test.words...)
			_, err = s.Pull(t.Context(), release.Chart{Path: local}, into)
			charttest.ExpectError(t, err, test.words...)
		})
	}
}

func TestAMalformedLockFileIsAnError(t *testing.T) {
	dir := charttest.WriteChart(t, t.TempDir(), "web", "1.0.0", `dependencies: [{name: redis, version: "1", repository: "file://../redis"}]`)
	charttest.WriteChart(t, filepath.Dir(dir), "redis", "1.0.0", "")
	// The digest is the one that Helm computes. So the lock file is in sync, and Helm reads its entries.
	wanted := []*helmchart.Dependency{{Name: "redis", Version: "1", Repository: "file://../redis"}}
	data, err := json.Marshal([2][]*helmchart.Dependency{wanted, {nil}})
	if err != nil {
		t.Fatal(err)
	}
	charttest.Write(t, filepath.Join(dir, "Chart.lock"), fmt.Sprintf("dependencies: [null]\ndigest: sha256:%x\n", sha256.Sum256(data)))
	s := newStore(t)
	_, err = s.Load(t.Context(), release.Chart{Path: dir})
	charttest.ExpectError(t, err, "web", "malformed")
	_, err = s.Identity(t.Context(), release.Chart{Path: dir})
	charttest.ExpectError(t, err, "malformed")
	charttest.ExpectError(t, s.BuildDependencies(t.Context(), dir, nil), "malformed")
}
