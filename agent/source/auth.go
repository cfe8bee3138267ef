package source

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/http"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// authMethod returns how to authenticate, or nil if no credentials are needed. The protocols file and git have no credentials.
func authMethod(server *transport.Endpoint, auth Auth) (transport.AuthMethod, error) {
	switch server.Protocol {
	case "http", "https":
		if auth.Username == "" && auth.Password == "" {
			return nil, nil
		}
		if server.Protocol == "http" && !auth.AllowPlainHTTP {
			return nil, exit.With(exit.ConfigInvalid, errors.New("credentials over plain http are readable in the network: "+
				"use https, or set gitAllowPlainHttp"))
		}
		// Servers that accept a token as password need a user name, but ignore its value.
		return &http.BasicAuth{Username: cmp.Or(string(auth.Username), "git"), Password: string(auth.Password)}, nil
	case "ssh":
		return sshAuth(server, auth)
	default:
		return nil, nil
	}
}

func sshAuth(server *transport.Endpoint, auth Auth) (transport.AuthMethod, error) {
	verifier, err := hostKeys(server, auth.KnownHostsFile)
	if err != nil {
		return nil, err
	}
	user := cmp.Or(string(auth.Username), server.User, gitssh.DefaultUsername)
	switch {
	case auth.SSHKeyFile != "":
		key, err := gitssh.NewPublicKeysFromFile(user, auth.SSHKeyFile, string(auth.Password))
		if err != nil {
			return nil, exit.With(exit.ConfigInvalid, fmt.Errorf("read SSH key %s: %w", auth.SSHKeyFile, err))
		}
		key.HostKeyCallbackHelper = verifier
		return key, nil
	case auth.Password != "":
		return &gitssh.Password{User: user, Password: string(auth.Password), HostKeyCallbackHelper: verifier}, nil
	default:
		return nil, exit.With(exit.SourceRefused, errors.New("SSH needs credentials: set gitSSHKeyFile"))
	}
}

// hostKeys returns a verifier that accepts only the keys that the file lists for the server. It also sets the algorithms of these keys.
// Without them, a server with several keys might present one that the file does not list.
func hostKeys(server *transport.Endpoint, file string) (gitssh.HostKeyCallbackHelper, error) {
	if file == "" {
		return gitssh.HostKeyCallbackHelper{}, exit.With(exit.SourceRefused,
			fmt.Errorf("no SSH host key is trusted: %s", keyscan(server)))
	}
	known, err := knownhosts.NewDB(file)
	if err != nil {
		return gitssh.HostKeyCallbackHelper{}, exit.With(exit.ConfigInvalid, fmt.Errorf("read known hosts %s: %w", file, err))
	}
	verify := known.HostKeyCallback()
	return gitssh.HostKeyCallbackHelper{
		HostKeyAlgorithms: known.HostKeyAlgorithms(address(server)),
		HostKeyCallback: func(host string, at net.Addr, key ssh.PublicKey) error {
			return explainHostKey(server, verify(host, at, key))
		},
	}, nil
}

// explainHostKey says what an error of the verification means, and what to do.
func explainHostKey(server *transport.Endpoint, err error) error {
	switch {
	case err == nil:
		return nil
	case knownhosts.IsHostUnknown(err):
		return exit.With(exit.SourceRefused, fmt.Errorf("the host %s has no key in the file of known hosts: %s", server.Host, keyscan(server)))
	case knownhosts.IsHostKeyChanged(err):
		return exit.With(exit.SourceRefused, fmt.Errorf("the host %s shows another key than the known one. "+
			"An attacker may intercept the connection, or the owner replaced the key. If the owner replaced it, %s", server.Host, keyscan(server)))
	default:
		return exit.With(exit.SourceRefused, fmt.Errorf("verify the host key of %s: %w", server.Host, err))
	}
}

// keyscan says how to make the file of known hosts.
func keyscan(server *transport.Endpoint) string {
	port := ""
	if server.Port != 0 && server.Port != gitssh.DefaultPort {
		port = fmt.Sprintf("-p %d ", server.Port)
	}
	return fmt.Sprintf("make a file with `ssh-keyscan %s%s > known_hosts`, compare its keys with those that the owner "+
		"of the host publishes, and set gitKnownHostsFile", port, server.Host)
}

func address(server *transport.Endpoint) string {
	return net.JoinHostPort(server.Host, strconv.Itoa(cmp.Or(server.Port, gitssh.DefaultPort)))
}

// authorities reads a file of certificate authorities. go-git would silently ignore a file without certificates.
func authorities(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, exit.With(exit.ConfigInvalid, fmt.Errorf("read certificate authorities: %w", err))
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return nil, exit.With(exit.ConfigInvalid, fmt.Errorf("read certificate authorities: %s contains no certificate in PEM format", file))
	}
	return pem, nil
}
