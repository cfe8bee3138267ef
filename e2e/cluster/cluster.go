package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"k8s.io/client-go/kubernetes"
)

const (
	startTimeout  = 2 * time.Minute
	startAttempts = 3
	stopGrace     = 10 * time.Second
)

// Options says which binary a cluster runs and where it keeps its files.
type Options struct {
	Binary string    // the controlplane binary; the default is that of FindBinary
	Dir    string    // the directory of files and logs; must not exist or be empty at Start; Stop removes it; the default is a temporary directory
	Log    io.Writer // gets one line for each ready component; optional
	Node   *Node     // the node for pods; without it, no pods run
}

// Cluster is a running control plane, and perhaps a node.
type Cluster struct {
	Audit *Audit // every request that the API server answered

	dir       string
	log       io.Writer
	node      *Node
	address   string // of the API server, host:port
	authority []byte // PEM of the certificate authority that signed for the API server
	tokens    map[string]string
	probe     kubernetes.Interface // the client of this package; its requests are not counted
	processes []*process
}

// Start starts a control plane, and returns when it is ready. The context limits only the start. The cluster runs until Stop, or until
// this process ends.
func Start(ctx context.Context, opts Options) (*Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var err error
	for range startAttempts {
		var c *Cluster
		if c, err = start(ctx, opts); err == nil {
			return c, nil
		}
		// Another process took a port before the component listened on it, so choose other ports.
		if !errors.Is(err, errPortTaken) {
			break
		}
	}
	return nil, err
}

func start(ctx context.Context, opts Options) (*Cluster, error) {
	binary, err := binaryOr(opts.Binary)
	if err != nil {
		return nil, err
	}
	dir, err := ownDir(opts.Dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, log: opts.Log, node: opts.Node, tokens: newTokens()}
	if err := c.run(ctx, binary); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) run(ctx context.Context, binary string) error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	c.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[2]))
	if err := c.writeFiles(); err != nil {
		return err
	}
	if _, err := c.Kubeconfig(controllerManagerUser, ""); err != nil {
		return err
	}
	if err := c.connect(); err != nil {
		return err
	}
	if c.node != nil {
		if err := c.prepareNode(ctx); err != nil {
			return err
		}
	}
	for _, component := range c.components(binary, ports) {
		if err := c.runComponent(ctx, component); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) connect() error {
	config, err := c.ConfigFor(probeUser)
	if err != nil {
		return err
	}
	c.probe, err = kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	c.Audit = &Audit{path: c.file(auditLogFile), mark: c.markAudit}
	return nil
}

func (c *Cluster) runComponent(ctx context.Context, wanted component) error {
	began := time.Now()
	p, err := startProcess(c.dir, wanted.name, c.path(), wanted.binary, wanted.args...)
	if err != nil {
		return err
	}
	c.processes = append(c.processes, p)
	if err := p.await(ctx, wanted.ready); err != nil {
		return err
	}
	if c.log != nil {
		_, err = fmt.Fprintf(c.log, "%s ready in %s\n", wanted.name, time.Since(began).Round(time.Millisecond))
	}
	return err
}

// path returns the PATH of the components.
func (c *Cluster) path() string {
	if c.node == nil {
		return os.Getenv("PATH")
	}
	return c.node.toolPath()
}

// Stop ends all processes, waits for them and removes the cluster's directory. A second call does nothing.
func (c *Cluster) Stop() error {
	var errs []error
	// Clients end before their servers, so that they do not retry requests while they end.
	for i := len(c.processes) - 1; i >= 0; i-- {
		errs = append(errs, c.processes[i].stop(stopGrace))
	}
	c.processes = nil
	if err := os.RemoveAll(c.dir); err != nil {
		errs = append(errs, fmt.Errorf("remove the cluster's directory: %w", err))
	}
	return errors.Join(errs...)
}

// ownDir creates the directory that Stop removes. It refuses a directory with content, because Stop must not remove that.
func ownDir(dir string) (string, error) {
	if dir == "" {
		made, err := os.MkdirTemp("", "cluster-")
		if err != nil {
			return "", fmt.Errorf("make the cluster's directory: %w", err)
		}
		return made, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the cluster's directory: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("look into the cluster's directory: %w", err)
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("the cluster's directory %s is not empty", dir)
	}
	return dir, nil
}
