package recorder

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// AddRepo implements helmexec.Interface.
func (r *Recorder) AddRepo(name, url, caFile, certFile, keyFile, username, password, _ string, passCredentials, skipTLSVerify bool) error {
	if name == "" {
		return fmt.Errorf("repository %s has no name", url)
	}
	repository := release.Repository{
		Name: name, URL: url, Username: username, Password: password,
		CAFile: absolute(caFile), CertFile: absolute(certFile), KeyFile: absolute(keyFile),
		PassCredentials: passCredentials, InsecureSkipTLSVerify: skipTLSVerify,
	}
	r.Mask.Add(password)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.repositories[name] = repository
	return r.register(repository)
}

// RegistryLogin implements helmexec.Interface.
func (r *Recorder) RegistryLogin(host, username, password, caFile, certFile, keyFile string, skipTLSVerify bool) error {
	r.Mask.Add(password)
	login := release.Repository{
		Name: host, URL: "oci://" + host, OCI: true, Username: username, Password: password,
		CAFile: absolute(caFile), CertFile: absolute(certFile), KeyFile: absolute(keyFile), InsecureSkipTLSVerify: skipTLSVerify,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logins[host] = login
	return r.register(login)
}

// register tells the agent about a repository, and writes it into the configuration for the children that chartify starts. The children
// get no passwords, because the agent downloads for them.
func (r *Recorder) register(repository release.Repository) error {
	if err := r.Agent.Register(r.ctx, repository); err != nil {
		return err
	}
	known := slices.Concat(sortedByName(r.repositories), sortedByName(r.logins))
	for i := range known {
		known[i].Username, known[i].Password = "", ""
	}
	return chart.WriteRepositories(os.Getenv("HELM_REPOSITORY_CONFIG"), known)
}

func sortedByName(repositories map[string]release.Repository) []release.Repository {
	return slices.SortedFunc(maps.Values(repositories), func(a, b release.Repository) int { return cmp.Compare(a.Name, b.Name) })
}

// ChartPull implements helmexec.Interface. It writes a stub where helmfile expects the chart, so that the agent downloads the chart later
// and only if it needs it. But it downloads a chart now if helmfile is going to change it.
func (r *Recorder) ChartPull(ref, dir string, flags ...string) error {
	c, err := r.ociChart(ref, flags)
	if err != nil {
		return err
	}
	if r.patchesCharts {
		return r.pull(c, dir)
	}
	withoutDigest, _, _ := strings.Cut(c.Ref, "@")
	stub := filepath.Join(dir, filepath.Base(withoutDigest))
	if err := writeStub(stub, c.Version); err != nil {
		return fmt.Errorf("record chart %s: %w", c.Ref, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stubs[stub] = c
	return nil
}

// pull has the agent download a chart, and copies it to into/<name>, where helmfile expects it.
func (r *Recorder) pull(c release.Chart, into string) error {
	pulled, err := r.Agent.Pull(r.ctx, c)
	if err != nil {
		return err
	}
	target := filepath.Join(into, filepath.Base(pulled))
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	return os.CopyFS(target, os.DirFS(pulled))
}

// writeStub writes a chart without templates. helmfile needs a valid version in it.
func writeStub(dir, version string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if _, err := semver.NewVersion(version); err != nil {
		version = "0.0.0"
	}
	content, err := yaml.Marshal(map[string]string{"apiVersion": "v2", "name": filepath.Base(dir), "version": version})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "Chart.yaml"), content, 0o600)
}

// ociChart parses what helmfile passes to `helm pull`: a reference without scheme, with an optional tag and digest, and flags. The tag
// repeats the version.
func (r *Recorder) ociChart(ref string, flags []string) (release.Chart, error) {
	f := newUpgradeFlags()
	repository := release.Repository{OCI: true}
	f.StringVar(&repository.CAFile, "ca-file", "", "")
	f.StringVar(&repository.CertFile, "cert-file", "", "")
	f.StringVar(&repository.KeyFile, "key-file", "", "")
	f.String("registry-config", "", "")
	if err := f.Parse(flags); err != nil {
		return release.Chart{}, fmt.Errorf("pull %s: %w", ref, err)
	}
	repository.CAFile, repository.CertFile, repository.KeyFile = absolute(repository.CAFile), absolute(repository.CertFile), absolute(repository.KeyFile)
	c := f.chart
	c.Keyring = absolute(c.Keyring)
	name, digest, _ := strings.Cut(ref, "@")
	if slash, colon := strings.LastIndex(name, "/"), strings.LastIndex(name, ":"); colon > slash {
		c.Version = name[colon+1:]
		name = name[:colon]
	}
	c.Ref = "oci://" + name
	if digest != "" {
		c.Ref += "@" + digest
	}
	host, _, _ := strings.Cut(name, "/")
	r.mu.Lock()
	defer r.mu.Unlock()
	if login, ok := r.logins[host]; ok {
		c.Repository = &login
	} else if repository.CAFile != "" || repository.CertFile != "" {
		c.Repository = &repository
	}
	return c, nil
}
