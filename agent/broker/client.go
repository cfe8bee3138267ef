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

// WorkspaceVariable is the environment variable that tells a confined process the workspace with the socket.
const WorkspaceVariable = "HELMFILE_AGENT_WORKSPACE"

// host is the host in the URLs of requests. The transport always connects to the socket, so the name has no effect.
const host = "http://agent"

// Client sends requests to the agent. It is safe for concurrent use.
type Client struct {
	workspace string
	http      http.Client
}

// Dial makes a client of the agent with this workspace. The first request connects.
func Dial(workspace string) *Client {
	c := &Client{workspace: workspace}
	c.http.Transport = &http.Transport{DialContext: c.DialContext}
	return c
}

// FromEnvironment makes a client of the agent that started this process. It returns an error if no agent started it.
func FromEnvironment() (*Client, error) {
	workspace := os.Getenv(WorkspaceVariable)
	if workspace == "" {
		return nil, fmt.Errorf("%s is not set: only helmfile-agent can start this command", WorkspaceVariable)
	}
	return Dial(workspace), nil
}

// DialContext connects to the agent. It ignores the address.
func (c *Client) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	path, done, err := socketPath(c.workspace)
	if err != nil {
		return nil, err
	}
	defer done()
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", path)
}

// Kubernetes is the URL of the read-only proxy of the cluster, for an HTTP client that connects with DialContext.
func (c *Client) Kubernetes() string { return host + kubernetesPath }

// Decrypt decrypts a file.
func (c *Client) Decrypt(ctx context.Context, file EncryptedFile) ([]byte, error) {
	answered, err := c.send(ctx, decryptPath, file)
	return answered.Plain, err
}

// Register tells the agent which repositories the helmfile declares.
func (c *Client) Register(ctx context.Context, repositories ...release.Repository) error {
	_, err := c.send(ctx, registerPath, repositories)
	return err
}

// Pull returns a directory with the unpacked chart. The caller copies it and does not change it.
func (c *Client) Pull(ctx context.Context, wanted release.Chart) (string, error) {
	answered, err := c.send(ctx, pullPath, wanted)
	return answered.Dir, err
}

// BuildDependencies returns a directory with a copy of a chart and its dependencies. The caller copies it and does not change it.
func (c *Client) BuildDependencies(ctx context.Context, want Dependencies) (string, error) {
	answered, err := c.send(ctx, buildPath, want)
	return answered.Dir, err
}

func (c *Client) send(ctx context.Context, path string, content any) (answer, error) {
	var received answer
	body, err := json.Marshal(content)
	if err != nil {
		return received, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, host+path, bytes.NewReader(body))
	if err != nil {
		return received, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return received, fmt.Errorf("send a request to the agent: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10)) // the status is enough
		return received, fmt.Errorf("send a request to the agent: %s: %s", response.Status, bytes.TrimSpace(reason))
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxMessage)).Decode(&received); err != nil {
		return received, fmt.Errorf("read the agent's answer: %w", err)
	}
	if received.Failed {
		return received, exit.Received(received.Code, received.Reason)
	}
	return received, nil
}
