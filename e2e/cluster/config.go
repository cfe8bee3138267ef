package cluster

import (
	"fmt"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

const clusterName = "e2e"

// Config returns the administrator's configuration.
func (c *Cluster) Config() *rest.Config {
	return c.config(c.tokens[Admin])
}

// ConfigFor returns the configuration of Admin or of a TenantUser.
func (c *Cluster) ConfigFor(user string) (*rest.Config, error) {
	token, known := c.tokens[user]
	if !known {
		return nil, fmt.Errorf("the cluster has no user %q", user)
	}
	return c.config(token), nil
}

func (c *Cluster) config(token string) *rest.Config {
	return &rest.Config{
		Host:            "https://" + c.address,
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{CAData: c.authority},
		QPS:             -1, // no limit, so that the client does not delay tests
	}
}

// Kubeconfig writes a file with one context, which has the user's name and, unless it is empty, a default namespace.
// The file needs no other files. Stop removes it.
func (c *Cluster) Kubeconfig(user, namespace string) (path string, err error) {
	token, known := c.tokens[user]
	if !known {
		return "", fmt.Errorf("write a kubeconfig: the cluster has no user %q", user)
	}
	config := api.NewConfig()
	config.Clusters[clusterName] = &api.Cluster{Server: "https://" + c.address, CertificateAuthorityData: c.authority}
	config.AuthInfos[user] = &api.AuthInfo{Token: token}
	config.Contexts[user] = &api.Context{Cluster: clusterName, AuthInfo: user, Namespace: namespace}
	config.CurrentContext = user
	path = c.kubeconfigPath(user, namespace)
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return "", fmt.Errorf("write the kubeconfig of %s: %w", user, err)
	}
	return path, nil
}

func (c *Cluster) kubeconfigPath(user, namespace string) string {
	parts := []string{strings.ReplaceAll(user, ":", "-"), namespace, "kubeconfig"}
	if namespace == "" {
		parts = []string{parts[0], parts[2]}
	}
	return c.file(strings.Join(parts, "."))
}
