package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/desired"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/mask"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/render"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
	"github.com/helmfile-agent/helmfile-agent/agent/source"
)

// run is what one command needs from beginning to end.
type run struct {
	cfg       config.Config
	log       *slog.Logger
	mask      *mask.Mask
	progress  *Progress
	workspace string // private; removed at the end
	renderer  *render.Pool
	report    report.Report
}

func begin(command string, cfg config.Config, log *slog.Logger, mask *mask.Mask, progress *Progress) *run {
	r := &run{cfg: cfg, log: log, mask: mask, progress: progress, report: report.Report{
		Command:     command,
		Instance:    cfg.Instance,
		Namespace:   cfg.Namespace,
		Environment: cfg.Environment,
		Started:     time.Now(),
	}}
	progress.note(r.report)
	return r
}

// planned reports what the run is about to do.
func (r *run) planned(p plan.Plan) {
	r.report.Outcomes = apply.Preview(p)
	r.progress.note(r.report)
}

// within gives the steps a workspace and a deadline, and completes the report.
func (r *run) within(ctx context.Context, steps func(context.Context) error) report.Report {
	deadline := exit.With(exit.Deadline, fmt.Errorf("the run did not end within %s", r.cfg.Timeout))
	ctx, cancel := context.WithTimeoutCause(ctx, r.cfg.Timeout, deadline)
	defer cancel()
	r.report.Err = r.inWorkspace(ctx, steps)
	if ctx.Err() != nil {
		r.report.Err = stopped(ctx, r.report.Err)
	}
	var lacking *cluster.MissingRightsError
	if errors.As(r.report.Err, &lacking) {
		r.report.Grant = lacking.Grant()
	}
	r.report.Took = time.Since(r.report.Started)
	return r.report
}

// stopped says that the run was ended from outside, and what it was doing: the outside's exit code counts.
func stopped(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil {
		return cause
	}
	if errors.Is(err, cause) {
		return exit.With(exit.Of(cause), err) // it says what was being done
	}
	return exit.With(exit.Of(cause), fmt.Errorf("%w; it was about to: %w", cause, err))
}

func (r *run) inWorkspace(ctx context.Context, steps func(context.Context) error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			r.log.Error("panic", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	dir, err := os.MkdirTemp("", "helmfile-agent-")
	if err != nil {
		return fmt.Errorf("make workspace: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r.workspace = dir
	defer func() { r.renderer.Close() }()
	r.progress.in(dir)
	return steps(ctx)
}

func (r *run) checkout(ctx context.Context) (source.Checkout, error) {
	if r.cfg.Dir != "" {
		return source.CopyLocal(r.cfg.Dir, filepath.Join(r.workspace, "checkout"), r.limits())
	}
	req := r.request()
	var err error
	if req.Remote, err = egress.Parse(r.cfg.AllowRemote); err != nil {
		return source.Checkout{}, err
	}
	checkout, err := source.Clone(ctx, req, filepath.Join(r.workspace, "checkout"))
	if err == nil {
		r.log.Info("checked out", "repo", checkout.Repo, "ref", checkout.Ref, "commit", checkout.Commit)
	}
	return checkout, err
}

func (r *run) request() source.Request {
	return source.Request{Repo: r.cfg.Repo, Ref: r.cfg.Ref, Limits: r.limits(), Auth: source.Auth{
		Username:       r.cfg.GitUsername,
		Password:       r.cfg.GitPassword,
		SSHKeyFile:     r.cfg.GitSSHKeyFile,
		KnownHostsFile: r.cfg.GitKnownHostsFile,
		CAFile:         r.cfg.GitCAFile,
		AllowPlainHTTP: r.cfg.GitAllowPlainHTTP,
	}}
}

func (r *run) limits() source.Limits {
	return source.Limits{Files: r.cfg.GitMaxFiles, Size: r.cfg.GitMaxSize, FileSize: r.cfg.GitMaxFileSize}
}

func (r *run) charts() (*chart.Store, error) {
	dir := filepath.Join(r.workspace, "charts")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	policy, err := egress.Parse(r.cfg.AllowRemote)
	if err != nil {
		return nil, err
	}
	return chart.NewStore(dir, policy, r.log)
}

func (r *run) connect(ctx context.Context, charts *chart.Store) (*cluster.Reader, cluster.Lock, error) {
	var reader *cluster.Reader
	remote, err := egress.Parse(r.cfg.AllowRemote)
	if err != nil {
		return nil, cluster.Lock{}, err
	}
	r.renderer = render.NewPool(render.Options{
		Workspace: r.workspace,
		Processes: min(r.cfg.Concurrency, runtime.GOMAXPROCS(0)),
		Sandbox:   r.cfg.Sandbox,
		Memory:    r.cfg.LoaderMemory,
		Remote:    remote,
		Cluster:   func() (http.Handler, error) { return reader.ReadProxy() },
		Log:       r.log,
	})
	reader, err = cluster.Connect(cluster.Options{
		Kubeconfig:   r.cfg.Kubeconfig,
		Context:      r.cfg.Context,
		Namespace:    r.cfg.Namespace,
		Instance:     r.cfg.Instance,
		OwnSecrets:   r.cfg.OwnSecrets,
		AgentRelease: r.cfg.AgentRelease,
		SelfUpgrade:  r.cfg.SelfUpgrade,
		Charts:       charts,
		Renderer:     r.renderer,
		Volatile:     r.volatile(),
		Log:          r.log,
		Secret:       r.learnSecret,
		Credential:   r.mask.Add,
		Mask:         r.mask.String,
	})
	if err != nil {
		return nil, cluster.Lock{}, err
	}
	r.report.Namespace = reader.Namespace()
	lock, err := r.findLock(ctx, reader)
	return reader, lock, err
}

// volatile are the paths that charts made during the run may contain, as written and as they really are.
func (r *run) volatile() []string {
	var paths []string
	for _, path := range []string{r.cfg.Dir, r.workspace} {
		if path == "" {
			continue
		}
		paths = append(paths, path)
		if real, err := filepath.EvalSymlinks(path); err == nil && real != path {
			paths = append(paths, real)
		}
	}
	return paths
}

func (r *run) load(ctx context.Context, loader *desired.Loader, checkout source.Checkout, reader *cluster.Reader, charts *chart.Store) (desired.Set, error) {
	keys, err := secrets.LoadKeys(r.cfg.SopsKeys)
	if err != nil {
		return desired.Set{}, err
	}
	for _, text := range keys.SecretTexts() {
		r.mask.Add(text)
	}
	proxy, err := reader.ReadProxy()
	if err != nil {
		return desired.Set{}, err
	}
	remote, err := egress.Parse(r.cfg.AllowRemote)
	if err != nil {
		return desired.Set{}, err
	}
	keys.AllowServer = remote.PermitsHost
	set, err := loader.Load(ctx, desired.Request{
		Dir:             checkout.Dir,
		Path:            r.cfg.Path,
		Environment:     r.cfg.Environment,
		Selectors:       r.cfg.Selector,
		StateValuesSet:  r.cfg.StateValuesSet,
		StateValuesFile: r.cfg.StateValuesFile,
		Namespace:       reader.Namespace(),
		KubeContext:     r.cfg.Context,
		Concurrency:     r.cfg.Concurrency,
		Sandbox:         r.cfg.Sandbox,
		Memory:          r.cfg.LoaderMemory,
		CPU:             r.cfg.LoaderTime,
		Remote:          remote,
		Charts:          charts,
		Keys:            keys,
		Mask:            r.mask,
		Cluster:         proxy,
		Log:             r.log,
	})
	r.report.Confined = set.Confined
	if err == nil {
		r.log.Info("helmfile loaded", "releases", len(set.Releases), "confined", set.Confined)
	}
	return set, err
}

// clockSkew is added to the timeout of a run before another client's operation counts as abandoned. It covers the time that a run
// needs to stop, and the difference between clocks.
const clockSkew = time.Minute

func (r *run) policy(checkout source.Checkout, set desired.Set) plan.Policy {
	return plan.Policy{
		Instance:       r.cfg.Instance,
		Origin:         r.origin(checkout),
		Commit:         checkout.Commit,
		AbandonedAfter: r.cfg.Timeout + clockSkew,
		DiffOnly:       r.report.Command == report.Diff,
		SelectorInUse:  len(r.cfg.Selector) > 0,
		SkippedFiles:   set.PassedOver,
		Prune: plan.Pruning{
			Mode:     r.cfg.Prune,
			Grace:    r.cfg.PruneGrace,
			MaxShare: r.cfg.PruneMaxShare,
			Allow:    r.cfg.PruneAllow,
		},
		Drift:           release.DriftMode(r.cfg.Drift),
		AdoptServerSide: r.cfg.AdoptServerSide,
	}
}

// origin is unknown for a local checkout: how its remote is spelled there says nothing about what the agent clones.
func (r *run) origin(checkout source.Checkout) string {
	if r.cfg.Dir != "" {
		return ""
	}
	return source.Origin(checkout.Repo, r.cfg.Path, r.cfg.Environment)
}

// warnOfLost tells of a memory that was not understood. A lost one is safe: nothing is pruned because of it.
func (r *run) warnOfLost(was cluster.State) {
	if was.Lost != nil {
		r.report.Warnings = append(r.report.Warnings, fmt.Sprintf("the state of instance %s could not be decoded and starts empty: %v", r.cfg.Instance, was.Lost))
	}
}

func (r *run) looksForDrift() bool { return release.DriftMode(r.cfg.Drift) != release.IgnoreDrift }

// findDrift looks at the live objects of the releases that are wanted and deployed, and notes in have what differs.
func (r *run) findDrift(ctx context.Context, reader *cluster.Reader, want []release.Desired, have []release.Observed) error {
	if !r.looksForDrift() {
		return nil
	}
	wanted := map[release.Key]bool{}
	for _, w := range want {
		wanted[w.Key] = w.State == release.Installed && release.DriftMode(w.Labels[release.DriftLabel]) != release.IgnoreDrift
	}
	standing := slices.DeleteFunc(slices.Clone(have), func(o release.Observed) bool { return !wanted[o.Key] || o.Status != "deployed" })
	drifts, err := reader.Drift(ctx, standing, r.cfg.DriftIgnore, r.cfg.Concurrency)
	for i := range have {
		have[i].Drifts = drifts[have[i].Key]
	}
	return err
}

// remember ends a run: what is marked, what is owned where.
func (r *run) remember(ctx context.Context, writer *cluster.Writer, w observation) error {
	done := map[release.Key]bool{}
	for _, o := range r.report.Outcomes {
		done[o.Key] = o.Result == apply.Done
	}
	memory := w.plan.NextState(w.was.InstanceState, w.unread, func(key release.Key) bool { return done[key] })
	writer.NoteRecords(&memory)
	if ctx.Err() != nil {
		return r.rememberStopped(ctx, writer, w.was, memory)
	}
	_, err := writer.SaveState(ctx, w.was, memory)
	r.announce(ctx, writer)
	return err
}

// announce writes an Event for each thing that the run did.
func (r *run) announce(ctx context.Context, writer *cluster.Writer) {
	writer.Announce(ctx, r.report.Masked(r.mask.String).Events())
}

// stoppedTimeout bounds what a run still writes once it was told to stop.
const stoppedTimeout = 5 * time.Second

// rememberStopped is for a run that was stopped. It does not count as having seen anything undeclared, so the marks are those
// that were; but where it has installed something must not be forgotten, and what it did is announced. Once the lock is lost the
// memory is another run's.
func (r *run) rememberStopped(ctx context.Context, writer *cluster.Writer, was cluster.State, memory release.InstanceState) (err error) {
	lockLost := exit.Of(context.Cause(ctx)) == exit.Locked
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stoppedTimeout)
	defer cancel()
	if !lockLost {
		memory.Marks = was.Marks
		_, err = writer.SaveState(ctx, was, memory)
	}
	r.announce(ctx, writer)
	return err
}

// namespaces are those that releases are declared in.
func namespaces(want []release.Desired) []string {
	var all []string
	for _, w := range want {
		all = append(all, w.Namespace)
	}
	return all
}

// changes are the plan's writes as the preflight needs them.
func changes(p plan.Plan) []cluster.Change {
	var all []cluster.Change
	for _, step := range p.Changes() {
		all = append(all, change(step))
	}
	return all
}

var actions = map[plan.Verb]cluster.Action{
	plan.Adopt:     cluster.Label,
	plan.Relabel:   cluster.Label,
	plan.Correct:   cluster.Correct,
	plan.Install:   cluster.Install,
	plan.Upgrade:   cluster.Upgrade,
	plan.Uninstall: cluster.Uninstall,
	plan.Prune:     cluster.Uninstall,
}

func change(s plan.Step) cluster.Change {
	c := cluster.Change{Key: s.Key, Action: actions[s.Verb]}
	if s.Want != nil {
		c.Options = s.Want.Options
	}
	if s.Have != nil {
		c.Revision, c.Status, c.Before, c.Drifts = s.Have.Revision, s.Have.Status, s.Have.Manifest, s.Have.Drifts
	}
	if s.Verb == plan.Correct {
		c.Drifts = s.ToCorrect
	}
	if s.Next != nil {
		c.After, c.CRDs = s.Next.Manifest, s.Next.CRDs
	}
	return c
}
