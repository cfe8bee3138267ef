package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// WorkspaceVariable names the environment variable by which a confined process knows the workspace with the socket.
const WorkspaceVariable = "HELMFILE_AGENT_WORKSPACE"

// host stands for the agent in URLs: the transport dials the socket whatever the name is.
const host = "http://agent"

// Client asks the agent. It is safe for concurrent use.
type Client struct {
	workspace string
	http      http.Client
}

// Dial is a client of the agent that serves in the workspace. It connects with the first request.
func Dial(workspace string) *Client {
	c := &Client{workspace: workspace}
	c.http.Transport = &http.Transport{DialContext: c.DialContext}
	return c
}

// FromEnvironment is a client of the agent that started this process; an error says that there is none.
func FromEnvironment() (*Client, error) {
	workspace := os.Getenv(WorkspaceVariable)
	if workspace == "" {
		return nil, fmt.Errorf("%s is not set: this command is started by helmfile-agent only", WorkspaceVariable)
	}
	return Dial(workspace), nil
}

// DialContext connects to the agent, whatever address is asked for.
func (c *Client) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	path, done, err := socketPath(c.workspace)
	if err != nil {
		return nil, err
	}
	defer done()
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", path)
}

// Kubernetes is the URL of the cluster's read-only proxy, for a client that connects by DialContext.
func (c *Client) Kubernetes() string { return host + kubernetesPath }

// Decrypt asks for the plaintext of a file.
func (c *Client) Decrypt(ctx context.Context, file Encrypted) ([]byte, error) {
	said, err := c.ask(ctx, decryptPath, file)
	return said.Plain, err
}

// Register tells the agent which repositories the helmfile declares.
func (c *Client) Register(ctx context.Context, repositories ...release.Repository) error {
	_, err := c.ask(ctx, registerPath, repositories)
	return err
}

// Pull asks for a directory with the unpacked chart, to be copied and not changed.
func (c *Client) Pull(ctx context.Context, wanted release.Chart) (string, error) {
	said, err := c.ask(ctx, pullPath, wanted)
	return said.Dir, err
}

// BuildDependencies asks for a copy of a chart with its dependencies, to be copied and not changed.
func (c *Client) BuildDependencies(ctx context.Context, want Dependencies) (string, error) {
	said, err := c.ask(ctx, buildPath, want)
	return said.Dir, err
}

func (c *Client) ask(ctx context.Context, path string, what any) (answer, error) {
	var said answer
	body, err := json.Marshal(what)
	if err != nil {
		return said, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, host+path, bytes.NewReader(body))
	if err != nil {
		return said, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return said, fmt.Errorf("ask the agent: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10)) // the status says enough
		return said, fmt.Errorf("ask the agent: %s: %s", response.Status, bytes.TrimSpace(reason))
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxMessage)).Decode(&said); err != nil {
		return said, fmt.Errorf("read the agent's answer: %w", err)
	}
	if said.Failed {
		return said, exit.Received(said.Code, said.Reason)
	}
	return said, nil
}
