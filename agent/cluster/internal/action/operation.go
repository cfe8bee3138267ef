package action

import (
	"context"
	"io"

	helmkube "helm.sh/helm/v3/pkg/kube"

	"helm.sh/helm/v3/pkg/action"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// By default, Helm names its field manager after the binary. Drift detection finds the agent's own fields by this name.
func init() { helmkube.ManagedFieldsManager = kube.FieldManager }

// helm is the SDK for one operation on one release. Objects can be touched until ctx ends; records can be written until
// the operation is over, or an interrupted one could not be recorded. The capabilities are the run's, or Helm would
// discover all APIs again.
func (r *Releases) helm(ctx context.Context, key release.Key) (*action.Configuration, *recordingDriver) {
	objects := helmkube.New(r.kube.Getter(ctx, key.Namespace))
	objects.Log = r.kube.Debugf
	objects.Namespace = key.Namespace // otherwise Helm reads the kubeconfig again, and uses the namespace default if it cannot
	records := driver.NewSecrets(r.kube.Client.CoreV1().Secrets(key.Namespace))
	records.Log = r.kube.Debugf
	l := &recordingDriver{Driver: records, mask: r.kube.Options.Mask, run: r.run, ctx: ctx}
	client := &ownedClient{Client: objects, history: r.history, key: key, log: r.kube.Options.Log}
	config := &action.Configuration{
		RESTClientGetter: r.kube.Getter(ctx, key.Namespace),
		Releases:         storage.Init(l),
		KubeClient:       client,
		Capabilities:     r.kube.Capabilities(),
		Log:              r.kube.Debugf,
		HookOutputFunc:   func(_, _, _ string) io.Writer { return io.Discard },
	}
	client.revisions = func() ([]*helm.Release, error) { return config.Releases.History(key.Name) }
	return config, l
}

// operate lets Helm do one thing, on the records that are expected. Helm returns soon after ctx has ended, unless the API server does not answer. What Helm
// leaves unfinished when it fails, most often something half uninstalled, is marked as failed.
func (r *Releases) operate(ctx context.Context, key release.Key, records expected, do func(*action.Configuration) error) (*recordingDriver, error) {
	config, l := r.helm(ctx, key)
	l.expected = records
	longer, end := withCleanupTime(ctx)
	defer end()
	err := kube.Interruptibly(longer, func() error { return do(config) })
	if err != nil {
		err = l.markFailed(ctx, err)
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), kube.CleanupTimeout)
	defer cancel()
	_ = l.close(closing) // an answer that never comes must not keep the run from its end
	r.noteRecord(key, l)
	return l, err
}
