package agent

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"runtime"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/desired"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/render"
	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
	"github.com/helmfile-agent/helmfile-agent/agent/source"
)

// The functions in this file make the parts of a run from the configuration. They decide nothing.

// startLoader makes the chart store, and starts the loader so that it is ready when the repository is cloned.
func (s *session) startLoader(context.Context) (err error) {
	if s.charts, err = s.newChartStore(); err != nil {
		return err
	}
	s.loader, err = desired.Start(s.workspace, s.config.TemplateEnv)
	return err
}

func (s *session) newChartStore() (*chart.Store, error) {
	dir := filepath.Join(s.workspace, "charts")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	remote, err := egress.Parse(s.config.AllowRemote)
	if err != nil {
		return nil, err
	}
	return chart.NewStore(dir, remote, s.log)
}

// connect finds the cluster. It sends no request yet, and starts no renderer.
func (s *session) connect(context.Context) (err error) {
	if s.renderer, err = s.newRenderer(); err != nil {
		return err
	}
	if s.reader, err = cluster.Connect(s.clusterOptions()); err != nil {
		return err
	}
	s.report.Namespace = s.reader.Namespace()
	return nil
}

func (s *session) newRenderer() (*render.Pool, error) {
	remote, err := egress.Parse(s.config.AllowRemote)
	if err != nil {
		return nil, err
	}
	return render.NewPool(render.Options{
		Workspace: s.workspace,
		Processes: min(s.config.Concurrency, runtime.GOMAXPROCS(0)),
		Sandbox:   s.config.Sandbox,
		Memory:    s.config.LoaderMemory,
		Remote:    remote,
		Cluster:   func() (http.Handler, error) { return s.reader.ReadProxy() }, // the reader is made later
		Log:       s.log,
	}), nil
}

func (s *session) clusterOptions() cluster.Options {
	return cluster.Options{
		Kubeconfig:   s.config.Kubeconfig,
		Context:      s.config.Context,
		Namespace:    s.config.Namespace,
		Instance:     s.config.Instance,
		OwnSecrets:   s.config.OwnSecrets,
		AgentRelease: s.config.AgentRelease,
		SelfUpgrade:  s.config.SelfUpgrade,
		Charts:       s.charts,
		Renderer:     s.renderer,
		Volatile:     volatilePaths(s.config.Dir, s.workspace),
		Log:          s.log,
		Secret:       s.maskSecret,
		Credential:   s.mask.Add,
		Mask:         s.mask.String,
	}
}

// volatilePaths returns the paths that differ between runs and that files of charts may contain. A path with a symbolic link is
// returned in both forms.
func volatilePaths(dirs ...string) []string {
	var paths []string
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		paths = append(paths, dir)
		if real, err := filepath.EvalSymlinks(dir); err == nil && real != dir {
			paths = append(paths, real)
		}
	}
	return paths
}

// makeWriter makes the only object that can write to the cluster. Commands that only read do not have this stage.
func (s *session) makeWriter(context.Context) error {
	s.writer = cluster.NewWriter(s.reader)
	return nil
}

func (s *session) sourceRequest() (source.Request, error) {
	remote, err := egress.Parse(s.config.AllowRemote)
	return source.Request{
		Repo:   s.config.Repo,
		Ref:    s.config.Ref,
		Limits: sourceLimits(s.config),
		Remote: remote,
		Auth: source.Auth{
			Username:       s.config.GitUsername,
			Password:       s.config.GitPassword,
			SSHKeyFile:     s.config.GitSSHKeyFile,
			KnownHostsFile: s.config.GitKnownHostsFile,
			CAFile:         s.config.GitCAFile,
			AllowPlainHTTP: s.config.GitAllowPlainHTTP,
		},
	}, err
}

func sourceLimits(cfg config.Config) source.Limits {
	return source.Limits{Files: cfg.GitMaxFiles, Size: cfg.GitMaxSize, FileSize: cfg.GitMaxFileSize}
}

func (s *session) loadRequest() (desired.Request, error) {
	remote, err := egress.Parse(s.config.AllowRemote)
	if err != nil {
		return desired.Request{}, err
	}
	keys, err := s.takeKeys(remote)
	if err != nil {
		return desired.Request{}, err
	}
	proxy, err := s.reader.ReadProxy()
	return desired.Request{
		Dir:             s.checkout.Dir,
		Path:            s.config.Path,
		Environment:     s.config.Environment,
		Selectors:       s.config.Selector,
		StateValuesSet:  s.config.StateValuesSet,
		StateValuesFile: s.config.StateValuesFile,
		Namespace:       s.reader.Namespace(),
		KubeContext:     s.config.Context,
		Concurrency:     s.config.Concurrency,
		Sandbox:         s.config.Sandbox,
		Memory:          s.config.LoaderMemory,
		CPU:             s.config.LoaderTime,
		Remote:          remote,
		Charts:          s.charts,
		Keys:            keys,
		Mask:            s.mask,
		Cluster:         proxy,
		Log:             s.log,
	}, err
}

// takeKeys reads the keys that decrypt files, and masks them.
func (s *session) takeKeys(remote egress.Policy) (*secrets.Keys, error) {
	keys, err := secrets.LoadKeys(s.config.SopsKeys)
	if err != nil {
		return nil, err
	}
	s.mask.Add(keys.SecretTexts()...)
	keys.AllowServer = remote.PermitsHost
	return keys, nil
}
