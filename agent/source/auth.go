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

// authMethod is nil where there is nothing to prove: file and git know no credentials.
func authMethod(to *transport.Endpoint, auth Auth) (transport.AuthMethod, error) {
	switch to.Protocol {
	case "http", "https":
		if auth.Username == "" && auth.Password == "" {
			return nil, nil
		}
		if to.Protocol == "http" && !auth.AllowPlainHTTP {
			return nil, exit.With(exit.ConfigInvalid, errors.New("over plain http the network can read the credentials: "+
				"use https, or set gitAllowPlainHttp"))
		}
		// Servers that take a token as password want some user name and ignore which.
		return &http.BasicAuth{Username: cmp.Or(string(auth.Username), "git"), Password: string(auth.Password)}, nil
	case "ssh":
		return sshAuth(to, auth)
	default:
		return nil, nil
	}
}

func sshAuth(to *transport.Endpoint, auth Auth) (transport.AuthMethod, error) {
	trust, err := hostKeys(to, auth.KnownHostsFile)
	if err != nil {
		return nil, err
	}
	user := cmp.Or(string(auth.Username), to.User, gitssh.DefaultUsername)
	switch {
	case auth.SSHKeyFile != "":
		key, err := gitssh.NewPublicKeysFromFile(user, auth.SSHKeyFile, string(auth.Password))
		if err != nil {
			return nil, exit.With(exit.ConfigInvalid, fmt.Errorf("read SSH key %s: %w", auth.SSHKeyFile, err))
		}
		key.HostKeyCallbackHelper = trust
		return key, nil
	case auth.Password != "":
		return &gitssh.Password{User: user, Password: string(auth.Password), HostKeyCallbackHelper: trust}, nil
	default:
		return nil, exit.With(exit.SourceRefused, errors.New("SSH needs credentials: set gitSSHKeyFile"))
	}
}

// hostKeys trusts the keys that the file lists for the host and no other. go-git asks for the kinds of key that the file
// has only if it is told to here; else a host with several keys might present one that the file does not list.
func hostKeys(to *transport.Endpoint, file string) (gitssh.HostKeyCallbackHelper, error) {
	if file == "" {
		return gitssh.HostKeyCallbackHelper{}, exit.With(exit.SourceRefused,
			fmt.Errorf("no SSH host key is trusted: %s", keyscan(to)))
	}
	known, err := knownhosts.NewDB(file)
	if err != nil {
		return gitssh.HostKeyCallbackHelper{}, exit.With(exit.ConfigInvalid, fmt.Errorf("read known hosts %s: %w", file, err))
	}
	verify := known.HostKeyCallback()
	return gitssh.HostKeyCallbackHelper{
		HostKeyAlgorithms: known.HostKeyAlgorithms(address(to)),
		HostKeyCallback: func(host string, at net.Addr, key ssh.PublicKey) error {
			return explainHostKey(to, verify(host, at, key))
		},
	}, nil
}

func explainHostKey(to *transport.Endpoint, err error) error {
	switch {
	case err == nil:
		return nil
	case knownhosts.IsHostUnknown(err):
		return exit.With(exit.SourceRefused, fmt.Errorf("the host %s is not among the known ones: %s", to.Host, keyscan(to)))
	case knownhosts.IsHostKeyChanged(err):
		return exit.With(exit.SourceRefused, fmt.Errorf("the host %s shows another key than the known one: "+
			"somebody may be in between, or the key was replaced; if it was, %s", to.Host, keyscan(to)))
	default:
		return exit.With(exit.SourceRefused, fmt.Errorf("host key of %s: %w", to.Host, err))
	}
}

func keyscan(to *transport.Endpoint) string {
	port := ""
	if to.Port != 0 && to.Port != gitssh.DefaultPort {
		port = fmt.Sprintf("-p %d ", to.Port)
	}
	return fmt.Sprintf("make a file with `ssh-keyscan %s%s > known_hosts`, compare its keys with those that the host's owner "+
		"publishes, and set gitKnownHostsFile", port, to.Host)
}

func address(to *transport.Endpoint) string {
	return net.JoinHostPort(to.Host, strconv.Itoa(cmp.Or(to.Port, gitssh.DefaultPort)))
}

// authorities reads the certificates to trust. go-git would pass over what is none.
func authorities(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, exit.With(exit.ConfigInvalid, fmt.Errorf("read certificate authorities: %w", err))
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return nil, exit.With(exit.ConfigInvalid, fmt.Errorf("read certificate authorities: %s holds no certificate in PEM", file))
	}
	return pem, nil
}
